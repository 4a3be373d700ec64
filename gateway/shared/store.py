"""The store as the rest of the gateway uses it: commands that wait for no longer than `shared.timeout`.

All commands of one turn of the event loop leave together, and those that come while others are under way leave
together after them. After failures the store is left alone: every command fails at once, and only a probe in the
background finds out when it can be used again. It writes as well, since a server may be full, or a replica.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any, Final

import msgspec

from adapters.loop import OneLoop
from gateway.config.shared_settings import SharedSettings
from gateway.shared.client import FAILURES, Client, Command, is_refused
from gateway.shared.metrics import SharedMetrics
from gateway.telemetry.log import Log

TIMEOUTS: Final = 3
"""Commands in a row that were not answered in time, after which the store is left alone."""
CONNECT_WITHIN: Final = 2.0
"""Seconds for a connection, which nobody waits for."""
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0
"""Seconds between two probes: doubled after each that failed."""
MOST_QUEUED: Final = 10_000
"""Commands that wait for others."""
Connect = Callable[[SharedSettings], Client]


class StoreDown(Exception):
    """The store can't be used now, or this command failed."""


class _Pending(msgspec.Struct):
    """A command on its way, and when (`loop.time()`) nobody waits for it any more."""

    command: Command
    until: float
    done: asyncio.Future[Any] | None = None
    lost: Callable[[], None] | None = None


class Store(OneLoop):
    """`on_up` is called each time that the store can be used after it could not."""

    def __init__(
        self,
        settings: SharedSettings,
        log: Log,
        metrics: SharedMetrics,
        *,
        on_up: Callable[[], None] = lambda: None,
        connect: Connect = Client,
    ) -> None:
        self._settings = settings
        self._log = log
        self._metrics = metrics
        self._on_up = on_up
        self._connect = connect
        self._client: Client | None = None
        self._queue: list[_Pending] = []
        self._sender: asyncio.Task[None] | None = None
        self._prober: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._timeouts = 0
        self._was_up: bool | None = None

    @property
    def is_up(self) -> bool:
        return self._client is not None

    def start(self) -> None:
        self._prober = asyncio.create_task(self._probe())

    async def connect(self) -> None:
        """Try once to connect. Whether that worked or not, every command then fails or succeeds at once."""
        client = self._connect(self._settings)
        try:
            await try_store(client, self._settings)
        except FAILURES as failure:
            await client.close()
            self._note(is_up=False, failure=failure)
        else:
            self._client = client
            self._note(is_up=True)

    async def aclose(self) -> None:
        """Send what was posted, which may take as long as a command may; from then on every command fails at once."""
        if self._sender is not None:
            await asyncio.wait({self._sender}, timeout=self._settings.timeout)
        if self._prober is not None:
            await _end(self._prober)
        self._drop_client()
        if self._sender is not None:
            await _end(self._sender)
        await asyncio.gather(*self._closing)

    async def run(self, *command: str | bytes | int) -> Any:
        """What the server answers. Raises StoreDown, after `shared.timeout` at the latest."""
        done = self._loop.create_future()
        self._add(_Pending(command, self._until(), done=done))
        return await done

    def post(self, *command: str | bytes | int, lost: Callable[[], None] | None = None) -> None:
        """Send a command whose answer nobody waits for. `lost` is called where that can't be done, or fails."""
        try:
            self._add(_Pending(command, self._until(), lost=lost))
        except StoreDown:
            if lost is not None:
                lost()

    def _until(self) -> float:
        return self._loop.time() + self._settings.timeout

    def _add(self, pending: _Pending) -> None:
        if self._client is None or len(self._queue) >= MOST_QUEUED:
            raise StoreDown
        self._queue.append(pending)
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._queue and self._client is not None:
                batch, self._queue = self._queue, []
                try:
                    async with asyncio.timeout_at(batch[0].until):
                        results = await self._client.run([each.command for each in batch])
                except FAILURES as failure:
                    self._failed(batch, failure)
                    continue
                except asyncio.CancelledError:
                    _fail(batch)
                    raise
                self._timeouts = 0
                self._answer(batch, results)
        finally:
            self._sender = None
            _fail(self._queue)
            self._queue = []

    def _answer(self, batch: list[_Pending], results: list[Any]) -> None:
        refused = None
        for each, result in zip(batch, results, strict=True):
            if is_refused(result):
                refused = result
                _fail([each])
            elif each.done is not None and not each.done.done():
                each.done.set_result(result)
        if refused is not None:
            self._metrics.failures.inc()
            self._go_down(refused)

    def _failed(self, batch: list[_Pending], failure: Exception) -> None:
        """After a command that was not answered the connection is of no more use: another takes its place."""
        _fail(batch)
        if isinstance(failure, TimeoutError):
            self._metrics.timeouts.inc()
            self._timeouts += 1
            if self._timeouts < TIMEOUTS:
                self._drop_client()
                self._client = self._connect(self._settings)
                return
        else:
            self._metrics.failures.inc()
        self._go_down(failure)

    def _go_down(self, failure: Exception) -> None:
        self._drop_client()
        self._note(is_up=False, failure=failure)
        if self._prober is None or self._prober.done():
            self._prober = asyncio.create_task(self._probe())

    def _note(self, *, is_up: bool, failure: Exception | None = None) -> None:
        """One line for each change."""
        if self._was_up is is_up:
            return
        self._was_up = is_up
        self._metrics.up.set(is_up)
        if is_up:
            self._log.line("shared-store-up", setting="shared.url")
        else:
            self._log.line("shared-store-down", level="warning", setting="shared.url", error=type(failure).__name__)

    async def _probe(self) -> None:
        pause = FIRST_PAUSE
        while True:
            client = self._connect(self._settings)
            try:
                await try_store(client, self._settings)
            except FAILURES as failure:
                await client.close()
                self._note(is_up=False, failure=failure)
                # Replicas must not all come back at once. No secret depends on this.
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            except asyncio.CancelledError:
                await client.close()
                raise
            self._client, self._timeouts = client, 0
            self._note(is_up=True)
            self._on_up()
            return

    def _drop_client(self) -> None:
        if self._client is not None:
            closing = asyncio.create_task(self._client.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            self._client = None


async def try_store(client: Client, settings: SharedSettings) -> None:
    """Connect, and write something. Raises one of FAILURES."""
    async with asyncio.timeout(CONNECT_WITHIN):
        await client.connect()
    async with asyncio.timeout(settings.timeout):
        (written,) = await client.run([("SET", f"{settings.prefix}:probe", "1", "PX", 1000)])
    if is_refused(written):
        raise written


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _fail(batch: list[_Pending]) -> None:
    for each in batch:
        if each.done is not None and not each.done.done():
            each.done.set_exception(StoreDown())
        if each.lost is not None:
            each.lost()
