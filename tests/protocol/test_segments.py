"""The corpus over real sockets, in this process and in one of its own: one request is one request."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.server.protocol import Protocol
from tests.protocol.corpus import PROBE, Case
from tests.protocol.cuts import some_cuts
from tests.protocol.pipelined import alone, second
from tests.protocol.served import listen, nothing_was_done, served
from tests.protocol.verdict import Verdict

ALL = [*alone(), *list(second())[::4]]
AT_ONCE = 40
CUTS = {"tcp": 3, "unix": 1}
"""Of each request, beside the whole and byte by byte."""
Address = str | tuple[str, int]


async def send(address: Address, pieces: list[bytes]) -> bytes:
    """All answers to what is sent in these pieces, each read before the next one comes, and then half-closed.

    A stream of asyncio's would throw away what it has not read when it can't write any more.
    """
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as caller:
        caller.setblocking(False)
        if not isinstance(address, str):
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(caller, address)
        answers = asyncio.ensure_future(_all(caller))
        with contextlib.suppress(OSError):
            for piece in pieces:
                await loop.sock_sendall(caller, piece)
                await asyncio.sleep(0)  # the server, in the same loop, reads it
                await asyncio.sleep(0)
            caller.shutdown(socket.SHUT_WR)
        return await asyncio.wait_for(answers, 60)


async def _all(caller: socket.socket) -> bytes:
    whole = b""
    with contextlib.suppress(OSError):
        while more := await asyncio.get_running_loop().sock_recv(caller, 65536):
            whole += more
    return whole


@pytest.mark.parametrize("family", ["tcp", "unix"])
@pytest.mark.no_cover  # thousands of requests
async def test_nothing_depends_on_segments(family: str, tmp_path: Path, tell: Callable[[str], None]) -> None:
    listener = listen(family, tmp_path)
    address: Address = listener.getsockname()
    objections: list[str] = []
    variants = 0
    async with served(listener) as gateway:
        turn = asyncio.Semaphore(AT_ONCE)

        async def check(case: Case) -> None:
            nonlocal variants
            async with turn:
                verdict = Verdict(case)
                for name, pieces in some_cuts(case.sent, CUTS[family]):
                    verdict.judge(name, await send(address, pieces))
                    variants += 1
                objections.extend(verdict.objections)

        await asyncio.gather(*map(check, ALL))
        assert not objections, "\n".join(objections[:20])
        assert nothing_was_done(gateway)
    assert variants >= 1000
    tell(f"segments, {family}: {len(ALL)} requests in {variants:,} ways, each answered the same in all")


@pytest.mark.parametrize("family", ["tcp", "unix"])
async def test_what_is_sent_apart_is_read_apart(family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the test above would be about nothing."""
    reads: list[int] = []
    original = Protocol.data_received

    def counted(protocol: Protocol, data: bytes) -> None:
        reads.append(len(data))
        original(protocol, data)

    monkeypatch.setattr(Protocol, "data_received", counted)
    listener = listen(family, tmp_path)
    async with served(listener):
        for _ in range(5):
            await send(listener.getsockname(), [PROBE[at : at + 1] for at in range(len(PROBE))])
    assert sum(reads) == 5 * len(PROBE)
    assert len(reads) > 4 * len(PROBE)
