"""Callers: so many connections, each of which asks again once it has been answered. Every answer is looked at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, cast

TOKEN: Final = "the-token-of-one-viewer"


class Asked(NamedTuple):
    """A request, and what must stand in its answer."""

    request: bytes
    expected: bytes


class Run(NamedTuple):
    requests: int
    seconds: float
    latencies: list[float]
    """seconds, in order of size"""

    def latency(self, share: float) -> float:
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]


def lookup(user_id: int, token: str = TOKEN, *, expected: bytes | None = None) -> Asked:
    head = f"GET /v1/connections/acme/{user_id} HTTP/1.1\r\nHost: localhost\r\nsessionToken: {token}\r\n"
    said = b"%d" % user_id if expected is None else expected
    return Asked(f"{head}Accept: application/json\r\n\r\n".encode(), said)


def lookup_of_many(user_ids: list[int]) -> Asked:
    users = ",".join(f'{{"platform":"acme","user_id":"{user_id}"}}' for user_id in user_ids)
    body = f'{{"users":[{users}]}}'
    head = f"POST /v1/lookup HTTP/1.1\r\nHost: localhost\r\nsessionToken: {TOKEN}\r\nContent-Length: {len(body)}"
    return Asked(f"{head}\r\n\r\n{body}".encode(), b'"user_id":"%d"' % user_ids[-1])


async def run(
    ports: list[int], at_once: int, asking: Iterator[Asked], *, seconds: float, most: int = 10**9, awake: bool = False
) -> Run:
    """Ask for so many `seconds`, or `most` times.

    `awake`: never sleep, since to wake a caller up costs the server that answers it, and a quick one more than a slow
    one. Not where somebody else needs the core.
    """
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    latencies: list[float] = []
    left = iter(range(most))

    def following() -> Asked | None:
        if time.perf_counter() - begun > seconds or next(left, None) is None:
            return None
        return next(asking)

    callers: list[_Caller] = []
    for number in range(at_once):
        _, caller = await loop.create_connection(
            lambda: _Caller(following, latencies), "127.0.0.1", ports[number % len(ports)]
        )
        callers.append(caller)
    begun = time.perf_counter()
    for caller in callers:
        caller.ask()
    everybody = asyncio.gather(*(caller.done for caller in callers))

    def stay_awake() -> None:
        if not everybody.done():
            loop.call_soon(stay_awake)

    if awake:
        stay_awake()
    await everybody
    return Run(len(latencies), time.perf_counter() - begun, sorted(latencies))


class WrongAnswer(Exception):
    """A benchmark of wrong answers measures nothing."""


class _Caller(asyncio.Protocol):
    def __init__(self, following: Callable[[], Asked | None], latencies: list[float]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._following = following
        self._latencies = latencies
        self._answer = b""
        self._expected = b""
        self._asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or WrongAnswer("the connection was closed"))

    def ask(self) -> None:
        asked = self._following()
        if asked is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._expected = asked.expected
        self._asked_at = time.perf_counter()
        self._transport.write(asked.request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return
        self._latencies.append(time.perf_counter() - self._asked_at)
        if not head.startswith(b"HTTP/1.1 200 ") or self._expected not in body:
            self.done.set_exception(WrongAnswer(f"{self._expected!r} is not in {self._answer[:1000]!r}"))
            return
        self._answer = b""
        self.ask()


def _length(head: bytes) -> int:
    for name in (b"\r\ncontent-length: ", b"\r\nContent-Length: "):
        found = head.find(name)
        if found >= 0:
            return int(head[found + len(name) :].partition(b"\r")[0])
    raise WrongAnswer(f"no Content-Length in {head!r}")
