"""`ETag` and `304`: whoever has the answer already is told that it is still so."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from adapters.simulation.faults import Fault
from gateway.api import conditional
from gateway.auth.request_headers import RequestHeaders
from tests.gateways import OWN, Gateway, running

LOOKUP, LIST = "/v1/connections/acme/102", "/v1/connections?status=pending_incoming"
PATHS = [LOOKUP, LIST]


async def again(gateway: Gateway, path: str, etag: str) -> httpx.Response:
    return await gateway.client.get(path, headers={"If-None-Match": etag})


@pytest.mark.parametrize("path", PATHS)
async def test_what_has_not_changed_is_not_sent_again(gateway: Gateway, path: str) -> None:
    first = await gateway.client.get(path)
    await asyncio.sleep(0.01)
    same = await again(gateway, path, first.headers["etag"])
    assert (same.status_code, same.content) == (304, b"")
    assert "content-type" not in same.headers
    for name in ("etag", "cache-control", "vary"):
        assert same.headers[name].startswith(first.headers[name])
    assert same.headers["cache-status"].startswith("connection-gateway; fwd=")
    assert gateway.logged()[-1]["status"] == 304


@pytest.mark.parametrize("path", PATHS)
async def test_what_has_changed_is_sent(gateway: Gateway, path: str) -> None:
    first = await gateway.client.get(path)
    await gateway.client.post("/v1/connections/acme/102/accept")
    other = await again(gateway, path, first.headers["etag"])
    assert other.status_code == 200
    assert other.headers["etag"] != first.headers["etag"]


async def test_a_stale_answer_is_another_one() -> None:
    async with running(OWN, cache={"fresh_for": 0.001, "stale_for": 60}) as gateway:
        etag = (await gateway.client.get(LOOKUP)).headers["etag"]
        await asyncio.sleep(0.01)
        gateway.acme.misbehave(Fault(status=500))
        stale = await again(gateway, LOOKUP, etag)
        assert (stale.status_code, stale.json()["stale"]) == (200, True)
        assert (await again(gateway, LOOKUP, stale.headers["etag"])).status_code == 304


async def test_a_hit_has_the_tag_of_the_answer_before() -> None:
    async with running(OWN, cache={"fresh_for": 60, "stale_for": 60}) as gateway:
        first, second = [await gateway.client.get(LOOKUP) for _ in range(2)]
        assert first.headers["etag"] == second.headers["etag"]
        assert second.headers["cache-status"] == "connection-gateway; hit"
        hit = await again(gateway, LOOKUP, first.headers["etag"])
        assert (hit.status_code, gateway.acme.calls.calls) == (304, 1)


async def test_the_tag_is_the_same_in_every_process() -> None:
    tags = set()
    for _ in range(2):
        async with running(OWN) as gateway:
            tags.add((await gateway.client.get(LOOKUP)).headers["etag"])
    assert len(tags) == 1


@pytest.mark.parametrize("path", [f"{LOOKUP}?explain=true", LIST])
async def test_what_is_different_each_time_has_none(gateway: Gateway, path: str) -> None:
    gateway.club.misbehave(Fault(status=500))
    answer = await again(gateway, path, "*")
    assert answer.status_code == 200
    assert "etag" not in answer.headers


async def test_a_refusal_is_a_refusal(gateway: Gateway) -> None:
    assert (await again(gateway, "/v1/connections/club/404404", "*")).status_code == 404


@pytest.mark.parametrize(
    ("given", "is_known"),
    [
        ([b'W/"a"'], True),
        ([b'"a"'], True),
        ([b'"b", W/"a"'], True),
        ([b'"b"', b'"a"'], True),
        ([b"*"], True),
        ([b'W/"b"'], False),
        ([b"a"], False),
        ([b'"A"'], False),
        ([b""], False),
        ([b"*, *"], False),
        ([b'"a'], False),
    ],
)
def test_tags_are_compared_weakly(given: list[bytes], is_known: bool) -> None:
    headers = RequestHeaders([(b"if-none-match", value) for value in given])
    assert conditional.is_known(headers, b'W/"a"') is is_known
