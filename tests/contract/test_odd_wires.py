"""Answers as servers really encode them, and a batch that fails because of one of its users."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import httpx
import pytest

from adapters.contract import ServerError, Status
from adapters.simulation.faults import Fault
from tests.contract.dialects import BATCHING, Platform
from tests.wire import InProcess


def members(content: bytes) -> bytes:
    """gzip in three members (RFC 1952)."""
    third = len(content) // 3
    return b"".join(map(gzip.compress, (content[:third], content[third : 2 * third], content[2 * third :])))


def raw(content: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(content) + stream.flush()


ENCODED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZip": members,
    "deflate": zlib.compress,
    "Deflate": raw,
    "identity": bytes,
}


class Encoding(httpx.AsyncBaseTransport):
    """Encodes every answer, as what stands in front of a platform may."""

    def __init__(self, inner: httpx.AsyncBaseTransport, name: str) -> None:
        self._inner = inner
        self._name = name

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        content = ENCODED[self._name](await answer.aread())
        headers = [(name, value) for name, value in answer.headers.raw if name.lower() != b"content-length"]
        encoded = [*headers, (b"Content-Encoding", self._name.encode())]
        return httpx.Response(answer.status_code, headers=encoded, stream=httpx.ByteStream(content), request=request)


@pytest.mark.parametrize("name", ENCODED)
async def test_answers_are_read_in_whatever_encoding(platform: Platform, name: str) -> None:
    platform.set(platform.user, Status.PENDING_INCOMING)
    adapter = platform.connect(Encoding(InProcess(platform.simulator), name))
    assert (await platform.read(adapter=adapter)).status is Status.PENDING_INCOMING
    page = await adapter.list(platform.viewer, {Status.PENDING_INCOMING}, None, 10)
    assert platform.id(102) in {entry.user_id for entry in page.entries}


@BATCHING
@pytest.mark.parametrize("name", ENCODED)
async def test_a_read_of_many_is_read_in_whatever_encoding(platform: Platform, name: str) -> None:
    adapter = platform.connect(Encoding(InProcess(platform.simulator), name))
    many = await adapter.read(platform.viewer, platform.ids(102, 101))
    assert [found.status for found in many.values() if not isinstance(found, Exception)] == [
        Status.PENDING_INCOMING,
        Status.CONNECTED,
    ]


@BATCHING
async def test_a_batch_that_fails_fails_as_a_whole_so_that_it_can_be_halved(platform: Platform) -> None:
    """Whose fault it was the platform does not say; each of its users alone may be answered."""
    platform.set(platform.user, Status.PENDING_INCOMING)
    await platform.adapter.identify()
    platform.simulator.misbehave(Fault(path=platform.dialect.many_path, status=500))
    with pytest.raises(ServerError):
        await platform.adapter.read(platform.viewer, (platform.user, platform.id(101)))
    assert (await platform.read()).status is Status.PENDING_INCOMING


async def test_a_lone_500_is_a_failure(platform: Platform) -> None:
    await platform.adapter.identify()
    platform.simulator.misbehave(Fault(path=str(platform.user), status=500))
    with pytest.raises(ServerError):
        await platform.read()
