"""What a request is does not depend on how its bytes were cut into segments, and one request is one request."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.listening import listen_at, listen_on
from gateway.server import Server
from gateway.settings import ServerSettings
from tests.gateways import OWN, Gateway, caller, running
from tests.protocol.corpus import Case, cases
from tests.protocol.cuts import cuts

ALL = list(cases())
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
DIFFERS = re.compile(rb'(?:date|age|cache-status): [^\r]*|x-request-id: \S+|"(?:as_of|instance)":"[^"]*"')
AT_ONCE = 40
WEB = caller("web", may=["read", "act"])


@asynccontextmanager
async def served(listener: socket.socket) -> AsyncIterator[Gateway]:
    """A gateway with a caller, whose answers are cached, so that the same is asked with the same steps."""
    async with running(OWN, [WEB], cache={"fresh_for": 600}) as gateway:
        server = Server(gateway.app, ServerSettings(), gateway.log)
        serving = asyncio.create_task(server.serve_on(listener))
        try:
            yield gateway
        finally:
            server.stop()
            await serving


async def send(address: str | tuple[str, int], pieces: list[bytes]) -> bytes:
    """All answers to what is sent in these pieces, each read before the next one comes, and then half-closed."""
    if isinstance(address, str):
        reader, writer = await asyncio.open_unix_connection(address)
    else:
        reader, writer = await asyncio.open_connection(*address)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    answers = asyncio.ensure_future(_all(reader))
    try:
        with contextlib.suppress(OSError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)  # the server, in the same loop, reads it
                await asyncio.sleep(0)
            writer.write_eof()
        return await asyncio.wait_for(answers, 60)
    finally:
        writer.close()


async def _all(reader: asyncio.StreamReader) -> bytes:
    whole = b""
    with contextlib.suppress(OSError):
        while more := await reader.read(65536):
            whole += more
    return whole


def wrong(case: Case, answers: bytes) -> str | None:
    statuses = tuple(map(int, STATUS.findall(answers)))
    if case.statuses is not None:
        return None if statuses == case.statuses else f"{statuses} instead of {case.statuses}"
    return None if len(statuses) <= 1 and all(400 <= each < 500 for each in statuses) else f"{statuses}"


@pytest.mark.parametrize("family", ["tcp", "unix"])
@pytest.mark.no_cover  # ten thousand requests
async def test_nothing_depends_on_segments(family: str, tmp_path: Path, tell: Callable[[str], None]) -> None:
    listener = listen_on("127.0.0.1", 0) if family == "tcp" else listen_at(str(tmp_path / "gateway.sock"), 0o600)
    address = listener.getsockname()[:2] if family == "tcp" else listener.getsockname()
    found: list[str] = []
    variants = 0
    async with served(listener) as gateway:
        turn = asyncio.Semaphore(AT_ONCE)

        async def check(case: Case) -> None:
            nonlocal variants
            async with turn:
                expected: bytes | None = None
                for number, (name, pieces) in enumerate(cuts(case.sent)):
                    if family == "unix" and number % 4 > 1:  # half of them there
                        continue
                    answers = await send(address, pieces)
                    variants += 1
                    if what := wrong(case, answers):
                        found.append(f"{case.name}, {name}: {what}")
                    same = DIFFERS.sub(b"", answers)
                    expected = same if expected is None else expected
                    if same != expected:
                        found.append(f"{case.name}, {name}: {same[:200]!r} instead of {expected[:200]!r}")

        await asyncio.gather(*map(check, ALL))
        assert not found, "\n".join(found[:20])
        assert gateway.acme.platform.connection(1, 102) == "PENDING_INCOMING"
        assert not [path for path in gateway.acme.calls.by_path if path.startswith("POST /pod")]
    assert variants >= 1000
    tell(f"segments, {family}: {len(ALL)} requests in {variants:,} ways, each answered the same in all")
