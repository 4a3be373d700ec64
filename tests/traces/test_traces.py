"""Traces, from outside: what a collector is handed, and what platforms and callers are told."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from adapters.simulation import Simulator
from adapters.simulation.faults import Fault
from gateway.app import create_app
from gateway.conversion import from_tables
from gateway.settings import ConfigurationError
from tests.gateways import CALLERS, OWN, Gateway, caller, key_of, running, tables
from tests.traces.collector import Collector, Span, collecting

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{PARENT}-01"
LOOKUP = "GET /v1/connections/{platform}/{user_id}"
PATH = "/v1/connections/acme/101"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        yield found


@asynccontextmanager
async def tracing(**named: Any) -> AsyncIterator[Gateway]:
    """A gateway that has handed on all its spans once this ends, and that notes what it tells platforms."""
    async with running(**named, traces=True) as gateway:
        yield gateway


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The `traceparent` of each call that a platform gets."""
    seen: list[str | None] = []
    original = Simulator.__call__

    async def noting(simulator: Simulator, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.append(dict(scope["headers"]).get(b"traceparent", b"").decode() or None)
        await original(simulator, scope, receive, send)

    monkeypatch.setattr(Simulator, "__call__", noting)
    return seen


async def test_a_lookup_is_a_tree(collector: Collector) -> None:
    async with tracing() as gateway:
        answer = await gateway.client.get(PATH, headers={"X-Request-Id": "find-me"})
        assert answer.status_code == 200
    request, batch = collector.one(LOOKUP), collector.one("batch")
    assert {span.trace_id for span in collector.spans} == {request.trace_id}
    assert request.parent == ""
    assert request.kind == 2
    assert {collector.one(name).parent for name in ("cache", "wait", "batch")} == {request.span_id}
    assert batch.links == {request.span_id}
    login, read = collector.one("POST"), collector.one("GET")
    assert {login.parent, read.parent} == {batch.span_id}
    assert {login.kind, read.kind} == {3}
    assert collector.one("cache").attributes["connection_gateway.outcome"] == "miss"
    assert batch.attributes == {"connection_gateway.platform": "acme", "connection_gateway.users": 1}
    assert request.attributes == {
        "http.request.method": "GET",
        "http.route": "/v1/connections/{platform}/{user_id}",
        "http.response.status_code": 200,
        "connection_gateway.platform": "acme",
        "connection_gateway.request_id": "find-me",
    }
    assert read.attributes == {
        "http.request.method": "GET",
        "server.address": "acme.example",
        "http.response.status_code": 200,
        "connection_gateway.platform": "acme",
    }
    assert not any(span.is_error for span in collector.spans)


async def test_times_lie_within_one_another(collector: Collector) -> None:
    async with tracing() as gateway:
        gateway.acme.misbehave(Fault(delay=0.05, times=1))
        await gateway.client.get(PATH)
    request = collector.one(LOOKUP)
    for span in collector.spans:
        assert span.begun <= span.ended
        if span.name in {"cache", "wait", "batch"}:
            assert request.begun <= span.begun


async def test_the_callers_trace_goes_on_to_the_platform(collector: Collector, told: list[str | None]) -> None:
    async with tracing() as gateway:
        answer = await gateway.client.get(PATH, headers={"traceparent": SAMPLED})
    request, reads = collector.one(LOOKUP), collector.named("GET") + collector.named("POST")
    assert (request.trace_id, request.parent) == (TRACE, PARENT)
    assert {span.trace_id for span in collector.spans} == {TRACE}
    assert set(told) == {f"00-{TRACE}-{span.span_id}-01" for span in reads}
    assert answer.headers["traceparent"] == f"00-{TRACE}-{request.span_id}-01"


async def test_what_callers_say_beside_it_goes_nowhere(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    original = Simulator.__call__

    async def noting(simulator: Simulator, scope: Any, receive: Any, send: Any) -> None:
        sent.extend(name for name, _ in scope.get("headers", ()))
        await original(simulator, scope, receive, send)

    monkeypatch.setattr(Simulator, "__call__", noting)
    async with tracing() as gateway:
        given = {"traceparent": SAMPLED, "tracestate": "us=user-769658112378", "baggage": "user=769658112378"}
        await gateway.client.get(PATH, headers=given)
    assert b"traceparent" in sent
    assert not {b"tracestate", b"baggage"} & set(sent)
    assert "769658112378" not in str(collector.spans)


async def test_one_that_is_sent_twice_is_none(collector: Collector) -> None:
    async with tracing() as gateway:
        twice = [("traceparent", SAMPLED), ("traceparent", SAMPLED.replace(TRACE, TRACE[::-1]))]
        assert (await gateway.client.get(PATH, headers=twice)).status_code == 200
    assert collector.one(LOOKUP).parent == ""


@pytest.mark.parametrize("given", ["", "nonsense", f"00-{'0' * 32}-{PARENT}-01", SAMPLED.upper(), SAMPLED + "-more"])
async def test_what_is_no_trace_begins_one(collector: Collector, given: str) -> None:
    async with tracing() as gateway:
        answer = await gateway.client.get(PATH, headers={"traceparent": given})
    assert answer.status_code == 200
    assert collector.one(LOOKUP).trace_id != TRACE
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[13]", answer.headers["traceparent"])


async def test_a_trace_that_nobody_keeps_is_told_as_such(collector: Collector, told: list[str | None]) -> None:
    async with tracing() as gateway:
        answer = await gateway.client.get(PATH, headers={"traceparent": SAMPLED[:-1] + "0"})
        assert answer.headers["traceparent"].startswith(f"00-{TRACE}-")
        assert answer.headers["traceparent"].endswith("-00")
        assert all(each and each.startswith(f"00-{TRACE}-") and each.endswith("-00") for each in told)
    assert collector.spans == []


async def test_a_shared_call_is_linked_to_all_who_waited(collector: Collector) -> None:
    async with tracing(credentials=CALLERS) as gateway:
        gateway.acme.misbehave(Fault(delay=2))
        viewer = {"sessionToken": "demo"}
        asking = [asyncio.create_task(gateway.client.get(PATH, headers=viewer)) for _ in range(150)]
        await asyncio.sleep(0.05)
        asking += [asyncio.create_task(gateway.client.get(PATH, headers=viewer)) for _ in range(50)]
        await asyncio.gather(*asking)
    batch = collector.one("batch")
    requests = {span.span_id for span in collector.named(LOOKUP)}
    assert len(requests) == 200
    assert batch.links == requests
    assert batch.parent in requests
    waits = [span.attributes["connection_gateway.outcome"] for span in collector.named("wait")]
    assert (waits.count("joined"), waits.count("none")) == (199, 1)


async def test_the_parent_of_a_shared_call_is_one_whose_trace_is_kept(collector: Collector) -> None:
    async with tracing() as gateway:
        gateway.acme.misbehave(Fault(delay=0.5))
        first = asyncio.create_task(gateway.client.get(PATH, headers={"traceparent": SAMPLED[:-1] + "0"}))
        second = asyncio.create_task(gateway.client.get(PATH))
        await asyncio.gather(first, second)
    assert collector.one("batch").parent == collector.one(LOOKUP).span_id
    assert len(collector.one("batch").links) == 2


async def test_those_who_gather_are_in_one_call(collector: Collector) -> None:
    async with tracing() as gateway:
        gateway.acme.misbehave(Fault(delay=0.1))
        users = [f"/v1/connections/acme/{user}" for user in range(1000, 1006)]
        await asyncio.gather(*(gateway.client.get(path) for path in users))
    batch = collector.one("batch")
    assert batch.attributes["connection_gateway.users"] == 6
    assert batch.links == {span.span_id for span in collector.named(LOOKUP)}


async def test_many_users_of_one_caller_are_one_link(collector: Collector) -> None:
    async with tracing() as gateway:
        users = [{"platform": name, "user_id": str(user)} for name in ("acme", "club") for user in range(1000, 1050)]
        await gateway.client.post("/v1/lookup", json={"users": users})
    request = collector.one("POST /v1/lookup")
    batches = collector.named("batch")
    assert {span.attributes["connection_gateway.platform"] for span in batches} == {"acme", "club"}
    assert {span.links for span in batches} == {frozenset({request.span_id})}
    assert [span.attributes["connection_gateway.outcome"] for span in collector.named("cache")] == ["0 of 50"] * 2


async def test_a_hit_has_no_call(collector: Collector) -> None:
    async with tracing(cache={"fresh_for": 600}) as gateway:
        await gateway.client.get(PATH)
        before = len(gateway.lines)
        await gateway.client.get(PATH)
        assert len(gateway.lines) == before + 1
    assert len(collector.named("batch")) == 1
    assert [span.attributes["connection_gateway.outcome"] for span in collector.named("cache")] == ["miss", "hit"]


async def test_each_try_is_a_span(collector: Collector, told: list[str | None]) -> None:
    async with tracing(credentials=CALLERS) as gateway:
        gateway.acme.misbehave(Fault(status=503, times=1))
        answer = await gateway.client.get(PATH, headers={"sessionToken": "demo"})
        assert answer.status_code == 200
    tries = collector.named("GET")
    assert [span.attributes["http.response.status_code"] for span in tries] == [503, 200]
    assert [span.is_error for span in tries] == [True, False]
    assert len(set(told)) == 2
    assert {span.parent for span in tries} == {collector.one("batch").span_id}


async def test_what_fails_says_how(collector: Collector) -> None:
    async with tracing(credentials=CALLERS) as gateway:
        gateway.acme.misbehave(Fault(drop=True))
        answer = await gateway.client.get(PATH, headers={"sessionToken": "demo"})
        assert answer.status_code == 502
        assert "explain" not in answer.json()
        await gateway.client.get("/v1/connections/nobody/1")
    failed, refused = collector.named(LOOKUP)
    assert (failed.attributes["error.type"], failed.is_error) == ("platform-unreachable", True)
    assert (refused.attributes["error.type"], refused.is_error) == ("unknown-platform", False)
    assert {span.attributes["error.type"] for span in collector.named("GET")} == {"ReadError"}


async def test_a_bug_says_its_kind_and_nothing_of_its_text(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_adapter: Any, _viewer: Any, user_ids: Collection[int]) -> Any:
        raise KeyError(*user_ids)

    monkeypatch.setattr("adapters.symphony.SymphonyAdapter.read", broken)
    async with tracing() as gateway:
        assert (await gateway.client.get("/v1/connections/acme/769658112378")).status_code == 500
    assert collector.one("batch").attributes["error.type"] == "KeyError"
    assert collector.one("batch").is_error
    assert "769658112378" not in str(collector.told)


async def test_a_call_that_a_gate_refused_says_so(collector: Collector) -> None:
    async with tracing(credentials=CALLERS) as gateway:
        gateway.acme.misbehave(Fault(status=429, retry_after=60))
        for _ in range(2):
            await gateway.client.get(PATH, headers={"sessionToken": "demo"})
    first, second = collector.named("batch")
    assert [span.attributes["error.type"] for span in (first, second)] == ["platform-throttled"] * 2
    (left,) = collector.named("GET")
    assert left.parent == first.span_id


async def test_who_gave_up_before_a_call_left_is_in_none(collector: Collector) -> None:
    async with tracing(credentials=CALLERS) as gateway:
        gateway.acme.misbehave(Fault(delay=0.3))
        users = [asyncio.create_task(hasty(gateway, user)) for user in (1001, 1002)]
        await asyncio.sleep(0.05)
        late = await hasty(gateway, 1003)
        assert late.status_code == 504
        await asyncio.gather(*users)
        await asyncio.sleep(0.5)
    (batch,) = collector.named("batch")
    assert len(batch.links) == 2
    waits = {span.attributes["connection_gateway.outcome"]: span for span in collector.named("wait")}
    assert waits["gathered"].ended - waits["gathered"].begun > 50_000_000


async def hasty(gateway: Gateway, user: int) -> httpx.Response:
    headers = {"sessionToken": "demo", "X-Request-Timeout-Ms": "100"}
    return await gateway.client.get(f"/v1/connections/acme/{user}", headers=headers)


async def test_an_action_and_a_list_are_traced(collector: Collector) -> None:
    async with tracing() as gateway:
        await gateway.client.post("/v1/connections/club/102/accept")
        await gateway.client.get("/v1/connections")
    act = collector.one("POST /v1/connections/{platform}/{user_id}/{action}")
    listed = collector.one("GET /v1/connections")
    below: dict[str, list[Span]] = {}
    for span in collector.spans:
        below.setdefault(span.parent, []).append(span)
    assert len(below[act.span_id]) >= 2
    assert {span.kind for span in below[act.span_id]} == {3}
    assert {span.attributes["connection_gateway.platform"] for span in below[listed.span_id]} == {"acme", "club"}


async def test_probes_and_pages_are_not_traced(collector: Collector) -> None:
    async with tracing() as gateway:
        for path in ("/livez", "/readyz", "/metrics", "/docs", "/openapi.json"):
            assert "traceparent" not in (await gateway.client.get(path)).headers
    assert collector.spans == []


async def test_a_line_of_the_log_names_its_trace(collector: Collector) -> None:
    async with tracing() as gateway:
        await gateway.client.get(PATH, headers={"traceparent": SAMPLED})
        (line,) = (line for line in gateway.logged() if line["event"] == "request")
        assert line["trace_id"] == TRACE
    assert collector.one(LOOKUP).trace_id == TRACE


async def test_who_asked_is_named_as_in_the_configuration_and_nothing_else_is(collector: Collector) -> None:
    async with tracing(credentials=CALLERS, callers=[caller("web")]) as gateway:
        token = "token-of-somebody-4711"
        gateway.acme.platform.tokens.accept(token, 1)
        await gateway.as_caller("web", sessionToken=token).get("/v1/connections/acme/769658112378")
    assert collector.one(LOOKUP).attributes["connection_gateway.caller"] == "web"
    said = str(collector.spans)
    assert not any(each in said for each in (token, key_of("web"), "769658112378"))


async def test_the_service_has_a_name(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tracing() as gateway:
        await gateway.client.get(PATH)
    assert collector.resource["service.name"] == "connection-gateway"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ours")
    async with tracing() as gateway:
        await gateway.client.get(PATH)
    assert collector.resource["service.name"] == "ours"


async def test_a_collector_that_is_not_there_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # it takes connections, and never answers
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        async with tracing() as gateway:
            assert (await gateway.client.get(PATH)).status_code == 200


async def test_opentelemetry_can_be_switched_off_by_its_own_variable(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, told: list[str | None]
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    async with tracing() as gateway:
        plain = await gateway.client.get(PATH)
        assert (plain.status_code, "traceparent" in plain.headers) == (200, False)
        assert (await gateway.client.get(PATH, headers={"traceparent": SAMPLED})).status_code == 200
        assert not any(line.get("trace_id") == "0" * 32 for line in gateway.logged())
    assert collector.spans == []
    assert None in told


def test_a_variable_that_is_not_as_it_should_be_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SPAN_LINK_COUNT_LIMIT", "many")
    with pytest.raises(ConfigurationError, match=r"server\.traces: one of OpenTelemetry's variables"):
        create_app(from_tables(tables(OWN, {"traces": True})))


async def test_off_it_says_nothing(gateway: Gateway, told: list[str | None]) -> None:
    answer = await gateway.client.get(PATH, headers={"traceparent": SAMPLED})
    assert "traceparent" not in answer.headers
    assert set(told) == {None}
    assert not any("trace_id" in line for line in gateway.logged())


def test_off_nothing_of_it_is_imported() -> None:
    program = """
import asyncio, sys
from tests.gateways import running
async def main():
    async with running() as gateway:
        assert (await gateway.client.get("/v1/connections/acme/101")).status_code == 200
asyncio.run(main())
print(sorted(name for name in sys.modules if name.startswith(("opentelemetry", "google", "requests"))))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "gateway.telemetry.traces", raising=False)
    with pytest.raises(ConfigurationError, match=r"server\.traces: .* install connection-gateway\[otel\]"):
        create_app(from_tables(tables(OWN, {"traces": True})))


async def test_what_is_told_in_one_message_has_it_too(collector: Collector) -> None:
    """As `gateway.protocol` takes answers that are ready."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async with tracing() as gateway:
        scope = {
            "type": "http",
            "method": "GET",
            "path": PATH,
            "raw_path": PATH.encode(),
            "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"traceparent", SAMPLED.encode())],
            "extensions": {"connection_gateway.ready": {}},
        }
        await gateway.app(scope, receive, send)
    (ready,) = sent
    assert dict(ready["headers"])[b"traceparent"].decode().startswith(f"00-{TRACE}-")
    assert collector.one(LOOKUP).trace_id == TRACE
