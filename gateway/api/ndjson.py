"""Answers in lines of JSON (NDJSON), each written as soon as it is known."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import TypeVar

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.openapi.operation import NDJSON

T = TypeVar("T")


def lines(identities: Iterable[str]) -> Callable[[bytes, AsyncGenerator[bytes], float], Response]:
    """Makes answers that are never cached elsewhere, and that differ by these request headers."""
    return functools.partial(Lines, {"cache-control": "private, no-cache", "vary": ", ".join(identities)})


def encode_lines(objects: Iterable[object]) -> bytes:
    return msgspec.json.Encoder().encode_lines(objects)


class Lines(Response):
    """Writes `first` and then `rest` as they come, each one or more whole lines.

    A caller that stops reading holds up nobody. Until `deadline` (`loop.time()`) a part waits until the one before it
    has been taken. Then all that is left is handed over at once, as an answer in one piece is, and the server cuts
    off whoever takes it too slowly.
    """

    def __init__(self, headers: dict[str, str], first: bytes, rest: AsyncGenerator[bytes], deadline: float) -> None:
        super().__init__(None, headers=headers, media_type=NDJSON)
        self._first = first
        self._rest = rest
        self._deadline = deadline

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [each for each in self.raw_headers if each[0] != b"content-length"]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        waiting = bytearray(self._first)
        async with contextlib.aclosing(self._rest):
            while True:
                if waiting and await self._is_taken(send, bytes(waiting)):
                    waiting.clear()
                part = await anext(self._rest, None)
                if part is None:
                    break
                waiting += part
        await send({"type": "http.response.body", "body": bytes(waiting), "more_body": False})

    async def _is_taken(self, send: Send, part: bytes) -> bool:
        """Whether the part was handed over before the deadline; else it was not."""
        try:
            async with asyncio.timeout_at(self._deadline):
                await send({"type": "http.response.body", "body": part, "more_body": True})
        except TimeoutError:
            return False
        return True


async def merged(sources: Sequence[AsyncGenerator[T]]) -> AsyncGenerator[T]:
    """What any of these yields, in the order in which it comes. An exception of one ends all of them."""
    queue: asyncio.Queue[T | asyncio.Task[None]] = asyncio.Queue()
    tasks = [asyncio.create_task(_feed(queue, each)) for each in sources]
    for task in tasks:
        task.add_done_callback(queue.put_nowait)
    left = len(tasks)
    try:
        while left:
            item = await queue.get()
            if isinstance(item, asyncio.Task):
                left -= 1
                item.result()
            else:
                yield item
    finally:
        for task in tasks:
            task.cancel()


async def _feed(queue: asyncio.Queue[T | asyncio.Task[None]], source: AsyncGenerator[T]) -> None:
    async with contextlib.aclosing(source):
        async for item in source:
            queue.put_nowait(item)
