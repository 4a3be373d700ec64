"""Many requests on one connection, sent without waiting for any answer."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from gateway.server.protocol import Protocol
from tests.protocol.corpus import HOST, PROBE, UPGRADES, USERS, chunked
from tests.protocol.lines import PATIENCE, line
from tests.protocol.verdict import STATUS

MANY = 6000
POST = b"POST /livez HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n"
OFFERS = [b"GET /livez HTTP/1.1\r\n" + HOST + offer + b"\r\n" for offer in UPGRADES.values()]
LAST = b"GET /livez HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("requests", "status"),
    [
        ([PROBE] * MANY, b"200"),
        (list(itertools.islice(itertools.cycle(OFFERS), 984)), b"200"),
        ([chunked(USERS, trailers=b"x: y\r\n" * 50)] * 1000, b"200"),
        ([POST % 200 + bytes(200)] * MANY, b"405"),
        ([b"\r\n\r\n" + PROBE] * MANY, b"200"),
    ],
    ids=["6,000 probes", "984 offers to upgrade", "trailers", "bodies that nobody reads", "blank lines between"],
)
async def test_all_that_are_valid_are_answered(requests: list[bytes], status: bytes) -> None:
    """More bytes together than a head may have."""
    sent = b"".join(requests)
    assert len(sent) > 65536
    async with line() as it:
        answers = asyncio.create_task(it.rest())
        it.writer.write(sent + LAST)
        async with asyncio.timeout(2 * PATIENCE):
            statuses = STATUS.findall(await answers)
    assert statuses == [*[status] * len(requests), b"200"]


async def test_the_same_in_whatever_pieces() -> None:
    """Pieces that end anywhere, of which some are smaller than a request and some larger."""
    sent = PROBE * MANY + LAST
    sizes = itertools.cycle([7, 1000, 44, 65_537, 1, 300])
    async with line() as it:
        answers = asyncio.create_task(it.rest())
        at = 0
        while at < len(sent):
            size = next(sizes)
            it.writer.write(sent[at : at + size])
            await it.writer.drain()
            await asyncio.sleep(0)
            at += size
        assert len(STATUS.findall(await answers)) == MANY + 1


async def test_nothing_more_is_read_while_an_answer_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is sent behind a request that is not answered, hardly anything is taken from the kernel."""
    read = 0
    original = Protocol.data_received

    def counted(protocol: Protocol, data: bytes) -> None:
        nonlocal read
        read += len(data)
        original(protocol, data)

    monkeypatch.setattr(Protocol, "data_received", counted)
    async with line(header_timeout=1.0) as it:
        it.writer.transport.pause_reading()  # type: ignore[attr-defined]  # its answer fills both kernels' buffers
        it.writer.write(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")
        for _ in range(200):
            it.writer.write(POST % 65_000 + bytes(65_000))
            await asyncio.sleep(0)
        await asyncio.sleep(0.3)
        assert 0 < read < 1024 * 1024
