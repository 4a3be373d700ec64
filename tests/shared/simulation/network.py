"""The network between a replica and the store, and the client's connection over it.

A command that was sent arrives even if its sender has given up, and after commands that were sent later on another
connection. Within a connection nothing is reordered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

import msgspec
from redis.exceptions import ConnectionError as NotConnected

from gateway.shared.client import Client, Command
from tests.shared.simulation.server import Server

QUICK: Final = (0.0002, 0.002)
SLOW: Final = (0.0, 0.2)
"""Seconds that a packet takes: less than `shared.timeout`, or perhaps more."""


class Weather(msgspec.Struct, frozen=True):
    """How likely a packet is to be slow or lost, and a connection to be reset."""

    slow: float = 0.0
    lost: float = 0.0
    reset: float = 0.0


class Link:
    """Of one replica. While it is cut nothing gets through; some of it does later."""

    def __init__(self, replica: int, server: Server, random: Random, weather: Weather) -> None:
        self.replica = replica
        self.server = server
        self.weather = weather
        self.cut_until = 0.0
        self.failed_at = -1e9
        """when the replica was last without the store, or without an answer of it"""
        self.asked: dict[str, float] = {}
        """since when the replica has been trying to get each lease"""
        self._random = random
        self._loop = asyncio.get_running_loop()

    def connect(self, _settings: object) -> Client:
        return Connection(self)

    def delay(self) -> float | None:
        """Seconds until a packet that leaves now is there. None: it never is."""
        chance = self._random.random()
        now = self._loop.time()
        if chance < self.weather.lost:
            return None
        delay = self._random.uniform(*(SLOW if chance < self.weather.lost + self.weather.slow else QUICK))
        if self.cut_until > now:
            return self.cut_until - now + delay if self._random.random() < 0.5 else None
        return max(self.server.paused_until - now, 0.0) + delay

    def is_reset(self) -> bool:
        return self._random.random() < self.weather.reset


class Connection(Client):
    """In the place of the client of redis-py."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._server = link.server
        self._loop = asyncio.get_running_loop()
        self._generation = -1
        self._last_arrival = 0.0

    async def connect(self) -> None:
        self._generation = self._server.generation
        await self._sent(lambda: [None])
        self._link.failed_at = self._loop.time()  # until now it was without

    async def run(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Any]:  # noqa: ARG002
        if self._generation < 0:
            await self.connect()
        for command in commands:
            if command[0] == "SET" and "NX" in command:
                self._link.asked.setdefault(str(command[1]), self._loop.time())

        def execute() -> list[Any]:
            return [self._server.execute(self._link.replica, each) for each in commands]

        return await self._sent(execute, waits="BLOCK" in commands[0])

    async def close(self) -> None:
        self._generation = -2

    async def _sent(self, execute: Callable[[], list[Any]], *, waits: bool = False) -> list[Any]:
        """The answer, or none ever. If it `waits`, the answer comes when it is not empty, or after a second."""
        done: asyncio.Future[list[Any]] = self._loop.create_future()
        generation = self._generation
        if (delay := self._link.delay()) is not None:
            self._last_arrival = max(self._loop.time() + delay, self._last_arrival)
            self._loop.call_at(self._last_arrival, self._arrive, generation, execute, waits, done)
        try:
            return await done
        except BaseException:
            self._link.failed_at = self._loop.time()
            raise

    def _arrive(
        self, generation: int, execute: Callable[[], list[Any]], waits: bool, done: asyncio.Future[list[Any]]
    ) -> None:
        now = self._loop.time()
        if generation != self._server.generation or self._server.down_until > now:
            self._fail(done)
        elif self._server.paused_until > now:
            self._loop.call_at(self._server.paused_until, self._arrive, generation, execute, waits, done)
        elif not waits or execute()[0]:
            self._answer(execute(), done)
        else:
            self._server.on_added(lambda: self._answer(execute(), done))
            self._loop.call_later(1.0, self._answer, [[]], done)

    def _answer(self, results: list[Any], done: asyncio.Future[list[Any]]) -> None:
        if self._link.is_reset():
            self._fail(done)
        elif (delay := self._link.delay()) is not None:
            self._loop.call_later(delay, _resolve, done, results)

    @staticmethod
    def _fail(done: asyncio.Future[list[Any]]) -> None:
        if not done.done():
            done.set_exception(NotConnected("reset"))


def _resolve(done: asyncio.Future[list[Any]], results: list[Any]) -> None:
    if not done.done():
        done.set_result(results)
