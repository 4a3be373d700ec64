"""A trace goes on: from the caller, to the platform, and back in the answer."""

from __future__ import annotations

import re
from typing import Any

import pytest

from adapters.simulation import Simulator
from tests.traces.asking import LOOKUP, PARENT, PATH, SAMPLED, TRACE, tracing
from tests.traces.collector import Collector


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
