"""`AsyncGateway.watch` against a real gateway that is stopped, started and out of reach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import pairwise

import msgspec
import pytest
from connection_gateway import AsyncGateway, Connection, Problem, UnexpectedAnswer, watching
from connection_gateway.watching import Changes

from adapters.simulation import serving
from tests.gateways import OWN, caller, key_of, running

USERS = [("acme", 102), ("club", 102), ("nowhere", 1)]


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect again at once: how long it waits is not what these tests are about."""
    monkeypatch.setattr(watching, "PAUSE", 0.01)


async def until(watched: AsyncIterator[Connection | Problem], status: str) -> list[str]:
    """What is returned, up to this status of the user on acme."""
    found: list[str] = []
    async with asyncio.timeout(30):
        async for each in watched:
            found.append(f"{each.platform} {each.slug if isinstance(each, Problem) else each.status}")
            if found[-1] == f"acme {status}":
                break
    return found


async def test_a_stream_survives_a_restart_and_returns_nothing_twice(port: int) -> None:
    async with AsyncGateway(f"http://127.0.0.1:{port}") as client, aclosing(client.watch(USERS)) as watched:
        async with running(OWN) as gateway, serving(gateway.app, port):
            assert sorted([await began(watched) for _ in USERS]) == [
                "acme pending_incoming", "club pending_incoming", "nowhere unknown-platform"
            ]  # fmt: skip
            await gateway.client.post("/v1/connections/acme/102/accept")
            assert await until(watched, "connected") == ["acme connected"]
        async with running(OWN) as gateway, serving(gateway.app, port):
            gateway.acme.platform.set_connection(1, 102, "ACCEPTED")
            await asyncio.sleep(0.3)
            gateway.app.state.lifecycle.drain()
        async with running(OWN) as gateway, serving(gateway.app, port):
            gateway.acme.platform.set_connection(1, 102, "REJECTED")
            assert await until(watched, "rejected") == ["acme rejected"]


async def began(watched: AsyncIterator[Connection | Problem]) -> str:
    each = await asyncio.wait_for(anext(watched), 30)
    return f"{each.platform} {each.slug if isinstance(each, Problem) else each.status}"


async def test_a_call_that_is_refused_is_raised_and_one_without_a_place_comes_back() -> None:
    async with running(OWN, [caller("web")], watch={"max_streams": 1}) as gateway, serving(gateway.app) as url:
        async with AsyncGateway(url, api_key="wrong") as client:
            with pytest.raises(Problem, match="invalid-api-key"):
                await anext(client.watch(USERS))
        async with AsyncGateway(url, api_key=key_of("web")) as client:
            first = client.watch([("acme", 101)])
            assert await began(first) == "acme connected"
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(client.watch([("acme", 101)])), 0.5)
            await first.aclose()


async def test_too_many_users_are_refused_before_anything_is_sent() -> None:
    async with AsyncGateway("http://127.0.0.1:9") as client:
        with pytest.raises(ValueError, match="1 to 1000 users"):
            client.watch([("acme", each) for each in range(1, 1002)])


def test_parts_of_any_size_are_the_same_changes() -> None:
    connection = msgspec.json.encode(
        Connection("acme", "1", "none", "a\u2028b", (), None, None, None, "2026-11-28T00:00:00.000Z", False)  # type: ignore[arg-type]
    )
    again = connection.replace(b"2026-11-28", b"2026-11-29")
    stale = connection.replace(b'"stale":false', b'"stale":true')
    text = b"retry: 2000\n\n" + b"".join(
        b"event: connection\ndata: %b\n\n: still here\n\n" % each for each in (connection, again, stale, connection)
    )
    whole = list(Changes().feed(text + b'event: later\ndata: 1\n\nevent: goaway\ndata: {"reason":"draining"}\n\n'))
    assert [each.stale for each in whole if isinstance(each, Connection)] == [False, True, False]
    for size in range(1, 40):
        changes = Changes()
        parts = [text[start : start + size] for start in range(0, len(text), size)]
        assert [change for part in parts for change in changes.feed(part)] == whole
    assert all(one != other for one, other in pairwise(whole))


async def test_what_is_no_gateways_is_unexpected() -> None:
    async def page(_scope: object, _receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"<html>"})  # type: ignore[operator]

    async with serving(page) as url, AsyncGateway(url) as client:
        with pytest.raises(UnexpectedAnswer):
            await anext(client.watch(USERS))
