"""Callers over raw sockets: what each was answered, and how long it took."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, NamedTuple

SLUG: Final = re.compile(rb'"type":"/problems/([a-z-]+)"')
STATUS: Final = re.compile(rb'"status":"([a-z_]+)"')
LOST: Final = "lost"
"""Sent, and the connection ended without an answer."""
REFUSED: Final = "refused"
"""No connection."""


class Answer(NamedTuple):
    kind: str
    """a problem's slug, a connection's status, `LOST`, `REFUSED`, or the HTTP status of anything else"""
    seconds: float


class Caller:
    """One connection, opened again where it was closed; to a port, or to a Unix socket."""

    def __init__(self, port: int | str) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, path: str, *headers: str) -> Answer:
        return await self.send(_request("GET", path, headers))

    async def send(self, request: bytes) -> Answer:
        begun = time.perf_counter()
        kind = await self._send(request)
        return Answer(kind, time.perf_counter() - begun)

    async def _send(self, request: bytes) -> str:
        try:
            if self._writer is None or self._reader is None or self._reader.at_eof():
                self.close()
                if isinstance(self._port, str):
                    self._reader, self._writer = await asyncio.open_unix_connection(self._port)
                else:
                    self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return REFUSED
        try:
            self._writer.write(request)
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = int(re.findall(rb"(?i)\r\ncontent-length: (\d+)", head)[0])
            body = await self._reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return LOST
        if b"\r\nconnection: close" in head:
            self.close()
        found = SLUG.search(body) or STATUS.search(body)
        return (found[1] if found else head.split(b" ", 2)[1]).decode()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = self._reader = None


def _request(method: str, path: str, headers: Iterable[str] = ()) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    if method == "POST":
        lines.append("Content-Length: 0")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def act(path: str, *headers: str) -> bytes:
    return _request("POST", path, headers)


async def once(port: int, path: str) -> Answer:
    """Over a connection of its own."""
    caller = Caller(port)
    try:
        return await caller.get(path)
    finally:
        caller.close()


async def at_once(
    port: int | str,
    how_many: int,
    ask: Callable[[Caller], Awaitable[Answer]],
    *,
    seconds: float = 3600.0,
    most: int = 10**9,
) -> list[Answer]:
    """So many callers, each of which asks again once it is answered: for so long, or so often all together."""
    answers: list[Answer] = []
    end = time.perf_counter() + seconds
    left = iter(range(most))

    async def one() -> None:
        caller = Caller(port)
        while time.perf_counter() < end and next(left, None) is not None:
            answers.append(await ask(caller))
        caller.close()

    await asyncio.gather(*(one() for _ in range(how_many)))
    return answers


async def at_a_rate(
    port: int, per_second: float, seconds: float, ask: Callable[[Caller], Awaitable[Answer]]
) -> list[Answer]:
    """Whatever is answered when: so many begin in each second. Connections are used again."""
    idle: list[Caller] = []
    answers: list[Answer] = []

    async def one() -> None:
        caller = idle.pop() if idle else Caller(port)
        answers.append(await ask(caller))
        idle.append(caller)

    begun = time.perf_counter()
    asking: set[asyncio.Task[None]] = set()
    sent = 0
    while (now := time.perf_counter() - begun) < seconds:
        for _ in range(int(now * per_second) - sent):
            task = asyncio.create_task(one())
            asking.add(task)
            task.add_done_callback(asking.discard)
            sent += 1
        await asyncio.sleep(0.002)
    await asyncio.gather(*asking)
    for caller in idle:
        caller.close()
    return answers


def kinds(answers: Iterable[Answer]) -> Counter[str]:
    return Counter(each.kind for each in answers)


def share(answers: Sequence[Answer], part: float) -> float:
    """Seconds within which this part of them were answered."""
    ordered = sorted(each.seconds for each in answers)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0
