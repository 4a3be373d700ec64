"""Thousands of answers that went wrong on their way: each is a connection or a typed error, and memory stays flat."""

from __future__ import annotations

import asyncio
import gc
import gzip
import itertools
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from adapters import ADAPTERS
from adapters.contract import Adapter, PlatformError, Status, Viewer
from adapters.secret import Token
from adapters.simulation import Simulator
from tests import wire
from tests.contract.dialects import DIALECTS, STRANGER, Dialect, Platform
from tests.transports.oddities import odd
from tests.wire import InProcess

ANSWERS = 6_700
"""Of each platform: however many there are, each kind of error must occur."""
WARM = 1_700
"""After these, whatever is kept for good is there."""
AT_ONCE = 20
MORE = 8 * 1024
"""kB by which the process may still grow: allocators give memory back as they like."""
LISTED = [dialect for dialect in DIALECTS if dialect.settings in ADAPTERS]
VIEWER = Viewer("acme", b"1", Token("demo"))

Ask = Callable[[Adapter], Awaitable[object]]


def asks(platform: Platform) -> list[Ask]:
    """Every kind of read that the platform has."""
    several = (101, 102, STRANGER)[: platform.adapter.batch_size]
    return [
        lambda adapter: adapter.read(VIEWER, platform.ids(103)),
        lambda adapter: adapter.read(VIEWER, platform.ids(STRANGER)),
        lambda adapter: adapter.read(VIEWER, platform.ids(*several)),
        lambda adapter: adapter.list(VIEWER, list(Status), None, 10),
    ]


class Recording(httpx.AsyncBaseTransport):
    """Notes what a simulated platform answers, as it would stand on the wire."""

    def __init__(self, simulated: Simulator) -> None:
        self.answers: list[bytes] = []
        self.parts: list[tuple[str, bytes]] = []
        """status and body of each"""
        self._inner = InProcess(simulated)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        self.note(f"{answer.status_code} {answer.reason_phrase}", await answer.aread())
        return answer

    def note(self, status: str, body: bytes) -> None:
        self.parts.append((status, body))
        self.answers.append(wire.answer(body, status=status))
        self.answers.append(wire.answer(gzip.compress(body), "Content-Encoding: gzip", status=status))


def mutated(good: bytes, other: bytes, chance: random.Random) -> bytes:
    """The answer with a few things wrong with it, or another."""
    spoilt = bytearray(good)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(spoilt) + 1)
        some = chance.randint(1, 12)
        match chance.randrange(8):
            case 0:
                spoilt[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del spoilt[at : at + some]
            case 2:
                spoilt[at:at] = spoilt[at : at + some] * chance.choice((1, 2, 50))
            case 3:
                del spoilt[at:]
            case 4:
                spoilt[at:at] = chance.randbytes(some)
            case 5:
                spoilt[at:] = other[chance.randrange(len(other)) :]
            case 6:
                spoilt[at:at] = chance.choice((b"[" * 2000, b"\x00", b"null", b'"', b"-1", b"1e999", b"\r\n", b": "))
            case _:
                digit = next((place for place in range(at, len(spoilt)) if chr(spoilt[place]).isdigit()), None)
                if digit is not None:
                    spoilt[digit : digit + 1] = chance.choice((b"9", b"-", b"00", b"999999999999999999999"))
    return bytes(spoilt)


def resident() -> int:
    """kB of this process."""
    gc.collect()
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])


class Server:
    """Gives each connection one answer, and closes it: a mutated one, an odd one, or an odd one mutated."""

    def __init__(self, recording: Recording) -> None:
        self.given = 0
        self._good = recording.answers
        self._parts = recording.parts
        self._chance = random.Random(20_000)  # noqa: S311  not for secrets

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.given += 1
        good, other = self._chance.choices(self._good, k=2)
        if self._chance.random() < 0.5:
            good = odd(*self._chance.choice(self._parts), self._chance)
            if self._chance.random() < 0.7:
                writer.write(good)
                return
        writer.write(mutated(good, other, self._chance))


@pytest.mark.no_cover  # to be traced makes it three times as slow, and each of its lines is traced by other tests
@pytest.mark.parametrize("dialect", LISTED, ids=lambda dialect: dialect.adapter)
async def test_every_answer_is_a_connection_or_a_typed_error(dialect: Dialect) -> None:
    platform = Platform(dialect)
    recording = Recording(platform.simulator)
    for ask in asks(platform):
        await ask(platform.connect(recording, mode="caller"))
    recording.note("403 Forbidden", json.dumps(platform.simulator.platform.error(403)).encode())
    server = Server(recording)
    ends: Counter[str] = Counter()

    async def asking(adapter: Adapter, answers: int) -> None:
        for ask in itertools.cycle(asks(platform)):
            if server.given >= answers:
                return
            try:
                await ask(adapter)
                ends["an answer"] += 1
            except PlatformError as error:
                ends[type(error).__name__] += 1

    async with wire.listening(server.handle) as where, wire.pool(limit=AT_ONCE) as network:
        adapter = platform.over(network, f"http://{where}", mode="caller")
        await asyncio.gather(*(asking(adapter, WARM) for _ in range(AT_ONCE)))
        before = resident()
        await asyncio.gather(*(asking(adapter, ANSWERS) for _ in range(AT_ONCE)))
        assert resident() <= before + MORE
    assert server.given >= ANSWERS
    assert {"an answer", "InvalidAnswer", "Unreachable", "ServerError"} <= ends.keys()
    assert {"Throttled", "Forbidden", "CredentialRefused"} <= ends.keys()
    assert "DeadlineExceeded" not in ends, "every connection was closed"
