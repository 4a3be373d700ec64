"""The stream of messages: one capped Stream, which every replica reads from where it was.

The server counts what was ever added to the stream, and each read asks for that count in the same transaction. Where
it is not what was counted here, messages were missed: trimmed before they were read, lost with the server's memory or
in a fail-over. Then `on_gap` is called. If the server lost them, `on_loss` is called as well: another replica, which
had not read them, can't know that there were any. `on_start` is called when reading begins: the first connection may
come late, and what was cached before it may have changed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

import msgspec

from adapters.loop import OneLoop
from gateway.config.shared_settings import SharedSettings
from gateway.shared.client import FAILURES, Client, is_refused
from gateway.shared.store import CONNECT_WITHIN, FIRST_PAUSE, LONGEST_PAUSE, Connect

MAX_LENGTH: Final = 10_000
"""Messages that are kept on the stream, roughly."""
LIFETIME: Final = 86_400
"""Seconds after the last message when the stream is gone."""
AT_ONCE: Final = 1_000
"""Messages of one read."""
IDLE: Final = 1.0
"""Seconds that a read waits for a message."""
SLACK: Final = 1.0
"""Seconds beyond that after which the server does not answer."""
REPLAYED: Final = 300
"""Seconds whose messages are read at the start: no throttle window is longer."""

Received = Callable[[object, float], None]
"""Told the content of a message, and how many seconds ago it was added, by the server's own clock."""


class _Place(msgspec.Struct, frozen=True):
    """How far the stream has been read: the id of the last message, and how many had been added by then."""

    last: bytes = b"0-0"
    added: int = 0


class Stream(OneLoop):
    def __init__(
        self,
        settings: SharedSettings,
        name: str,
        *,
        on_message: Received,
        on_start: Callable[[], None],
        on_gap: Callable[[], None],
        on_loss: Callable[[], None],
        on_following: Callable[[bool], None] = lambda _is_following: None,
        connect: Connect = Client,
    ) -> None:
        self._settings = settings
        self._name = name
        self._on_message = on_message
        self._on_start = on_start
        self._on_gap = on_gap
        self._on_loss = on_loss
        self._on_following = on_following
        self._connect = connect
        self._place: _Place | None = None
        self._reader: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._reader = asyncio.create_task(self._read())

    async def aclose(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader

    async def _read(self) -> None:
        pause = FIRST_PAUSE
        while True:
            client = self._connect(self._settings)
            begun = self._loop.time()
            try:
                async with asyncio.timeout(CONNECT_WITHIN):
                    await client.connect()
                await self._follow(client)
            except FAILURES:
                pause = FIRST_PAUSE if self._loop.time() - begun > LONGEST_PAUSE else min(2 * pause, LONGEST_PAUSE)
            finally:
                self._on_following(False)
                await client.close()
            await asyncio.sleep(pause)

    async def _follow(self, client: Client) -> None:
        if self._place is None:
            await self._start(client)
        while True:
            found = await self._catch_up(client)
            self._on_following(True)
            if not found:
                async with asyncio.timeout(IDLE + SLACK):
                    await client.run([self._reading("BLOCK", int(IDLE * 1000), "COUNT", 1)])

    async def _start(self, client: Client) -> None:
        """What came before was not read, but throttle windows that are open count."""
        async with asyncio.timeout(CONNECT_WITHIN):
            now, info = await client.run([("TIME",), ("XINFO", "STREAM", self._name)], atomic=True)
            since = f"{(now[0] - REPLAYED) * 1000}-0"
            (messages,) = await client.run([("XRANGE", self._name, since, "+")])
        self._place = _place(info)
        self._on_start()
        if not is_refused(messages):
            self._hand_over(messages, now)

    async def _catch_up(self, client: Client) -> bool:
        """Read what has been added since. False where nothing was."""
        before = self._place or _Place()
        async with asyncio.timeout(IDLE + SLACK):
            now, found, info = await client.run(
                [("TIME",), self._reading("COUNT", AT_ONCE), ("XINFO", "STREAM", self._name)], atomic=True
            )
        if is_refused(found):
            raise found
        messages = found[0][1] if found else []
        end = _place(info)
        if len(messages) < AT_ONCE:
            expected = before.added + len(messages)
            is_lost = end.added < expected or _order(end.last) < _order(before.last)
            if is_lost or end.added > expected:
                self._on_gap()
            if is_lost:
                self._on_loss()
            self._place = end
        else:
            self._place = _Place(messages[-1][0], before.added + len(messages))
        self._hand_over(messages, now)
        return bool(messages)

    def _reading(self, *options: str | int) -> tuple[str | bytes | int, ...]:
        last = b"0-0" if self._place is None else self._place.last
        return ("XREAD", *options, "STREAMS", self._name, last)

    def _hand_over(self, messages: list[tuple[bytes, dict[bytes, bytes]]], now: tuple[int, int]) -> None:
        """`now` is the server's time, in seconds and microseconds."""
        seconds = now[0] + now[1] / 1e6
        for added, fields in messages:
            self._on_message(fields.get(b"m"), max(seconds - _order(added)[0] / 1000, 0.0))


def _place(info: Any) -> _Place:
    """From the answer of XINFO STREAM, which is an error where there is no stream."""
    if is_refused(info):
        return _Place()
    found = dict(zip(info[::2], info[1::2], strict=True))
    return _Place(found[b"last-generated-id"], found[b"entries-added"])


def _order(added: bytes) -> tuple[int, int]:
    """Ids in their order: milliseconds, and a number."""
    milliseconds, _, number = added.partition(b"-")
    return int(milliseconds), int(number)
