"""Which spans there are, of what, and what they say."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from adapters.simulation.faults import Fault
from tests.gateways import CALLERS, caller, key_of
from tests.traces.asking import LOOKUP, PATH, SAMPLED, TRACE, tracing
from tests.traces.collector import Collector, Span


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
