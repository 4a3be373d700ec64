"""What each use of a library's internals saves, in process: rounds with it and without it take turns within one run.

`hit` is a lookup that is cached, `lookup` one of 32 that share a call; `call` is a request to a platform and its
response, without the wire. The platform is simulated in the same process, and its time is in `lookup`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final
from unittest import mock

import httpx
import uvloop

from adapters import upstream
from gateway.api import endpoint
from gateway.server import protocol
from gateway.server.extensions import in_a_task
from gateway.transports import response
from tests.lookups.test_costs import Caller, callers

ROUNDS: Final = 15
Measure = Callable[[], Awaitable[float]]


def main() -> None:
    print("| use | row | with, µs | without, µs | saves |\n| --- | --- | --- | --- | --- |")
    uvloop.run(measure_all())


async def measure_all() -> None:
    async with callers(32) as calling:
        numbers = itertools.count(1_000_000)
        await hits(calling[0], 300)
        rows: dict[str, Measure] = {
            "hit": lambda: hits(calling[0], 1000),
            "lookup": lambda: lookups(calling, numbers, 10),
            "call": exchanges,
        }
        for use, (row, without) in WITHOUT.items():
            spent: dict[bool, list[float]] = {True: [], False: []}
            for _ in range(ROUNDS):
                spent[True].append(await rows[row]())
                with without():
                    spent[False].append(await rows[row]())
                calling[0].gateway.lines.clear()
            share = statistics.median(1 - a / b for a, b in zip(spent[True], spent[False], strict=True))
            print(f"| {use} | {row} | {min(spent[True]):.1f} | {min(spent[False]):.1f} | {share:.1%} |", flush=True)


async def hits(caller: Caller, count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        caller.line.written.clear()
        caller.send(103)
        while not caller.line.written:  # noqa: ASYNC110  a wake-up would be most of its cost
            await asyncio.sleep(0)
    return (time.process_time() - began) / count * 1e6


async def lookups(calling: list[Caller], numbers: Iterator[int], count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        for each in calling:
            each.line.written.clear()
            each.send(next(numbers))
        while not all(each.line.written for each in calling):  # noqa: ASYNC110  as above
            await asyncio.sleep(0)
    return (time.process_time() - began) / (count * len(calling)) * 1e6


async def exchanges() -> float:
    """A request to a platform made, and its response read, without the wire."""
    base = upstream.Base("https://pod.example.com/pod")
    headers = [(b"Content-Type", b"application/json"), (b"Content-Length", b"2"), (b"Server", b"nginx")]

    async def more() -> bytes:
        return parts.pop()

    count = 1000
    began = time.process_time()
    for number in range(count):
        parts = [b"", b"{}"]
        request = base.get(f"/v1/connection/user/{number}/info")
        await response.read_whole(request, 200, headers, more)
    return (time.process_time() - began) / count * 1e6


def _url_parsed_again(base: httpx.URL, path: str) -> httpx.URL:
    return httpx.URL(f"{base}{path}")


def _response_decoded_again(status: int, headers: Any, content: bytes, request: httpx.Request) -> httpx.Response:
    return httpx.Response(status, headers=headers, content=content, request=request)


@contextlib.contextmanager
def _tasks() -> Iterator[None]:
    """Every request has a task of its own."""
    own = endpoint.Endpoint.handle

    async def handle(self: Any, *args: Any) -> None:
        if self._at_once:
            await in_a_task()
        await own(self, *args)

    with mock.patch.object(endpoint.Endpoint, "handle", handle):
        yield


WITHOUT: Final[dict[str, tuple[str, Callable[[], AbstractContextManager[Any]]]]] = {
    "uvicorn: a GET without a task": ("hit", _tasks),
    "uvicorn: a GET without a task, not cached": ("lookup", _tasks),
    "uvicorn: a response in one message and one write": (
        "hit",
        lambda: mock.patch.dict(protocol._EXTENSIONS, clear=True),  # noqa: SLF001
    ),
    "httpx: a URL that is not parsed again": (
        "call",
        lambda: mock.patch.object(upstream, "BelowURL", _url_parsed_again),
    ),
    "httpx: a response that is not decoded again": (
        "call",
        lambda: mock.patch.object(response, "WholeResponse", _response_decoded_again),
    ),
}
if __name__ == "__main__":
    main()
