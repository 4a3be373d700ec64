"""The batcher alone, under thousands of schedules drawn by lot. `BATCHER_SEED=N` in the environment runs one again."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

import pytest

from adapters.contract import Adapter, DeadlineExceeded, Forbidden, PlatformError, ServerError, UserNotFound, Viewer
from gateway.aio.background_tasks import BackgroundTasks
from gateway.platforms.lookup.batcher import Batcher
from gateway.platforms.lookup.encoded import CachedConnection
from gateway.platforms.lookup.pending import MAX_IN_FLIGHT, LookupResult
from gateway.platforms.staleness import ANY_TIME
from tests import clock
from tests.batching.scripted import FRAGILE, MISSING, POISON, Bug, Scripted

SEEDS = 3000
VIEWERS = (Viewer("acme", b"one"), Viewer("acme", b"two"))
USERS = (*range(1, 11), POISON, FRAGILE)
OVERTAKE_AFTER = 1e-6


class Told(NamedTuple):
    """One lookup and what came of it."""

    viewer: Viewer
    user: int
    asked_at: float
    deadline: float
    since: float
    heard_at: float
    result: LookupResult | BaseException


class World:
    def __init__(self, seed: int) -> None:
        self.lot = random.Random(seed)  # noqa: S311  a schedule that can be drawn again
        self.adapter = Scripted(self.lot, self.lot.choice((1, 2, 3, 50)))
        self.background = BackgroundTasks(PlatformError)
        self.batcher = Batcher(
            cast("Adapter", self.adapter), self.background, self._hear, max_calls=self.lot.choice((1, 3, 64))
        )
        self.told: list[Told] = []
        self.is_outdated: dict[tuple[Viewer, int], float] = {}
        self.results = 0
        self._loop = asyncio.get_running_loop()

    async def live(self) -> None:
        living = [asyncio.create_task(self._act()) for _ in range(self.lot.randrange(2, 40))]
        watching = asyncio.create_task(self._watch())
        for leaver in self.lot.sample(living, len(living) // 5):
            self._loop.call_later(self.lot.random() * 3, leaver.cancel)
        await asyncio.gather(*living, return_exceptions=True)
        await self.background.finish()
        watching.cancel()
        for each in living:
            assert each.cancelled() or each.exception() is None, each
        self._check_calls()
        for one in self.told:
            self._check(one)
        assert not self.batcher._queues  # noqa: SLF001  nobody is kept: no answer would tell

    async def _act(self) -> None:
        await asyncio.sleep(self.lot.choice((0.0, 0.0, 0.05, 0.3, 1.0)) * self.lot.randrange(3))
        viewer, user = self.lot.choice(VIEWERS), self.lot.choice(USERS)
        asked_at = self._loop.time()
        deadline = asked_at + self.lot.choice((0.05, 0.4, 3.0, 30.0))
        since = self.lot.choice((ANY_TIME, ANY_TIME, asked_at, asked_at - 0.2))
        match self.lot.randrange(6):
            case 0:
                self.batcher.invalidate(viewer, user)
                self.is_outdated[viewer, user] = asked_at
            case 1:
                users = self.lot.sample(USERS, self.lot.randrange(1, len(USERS)))
                found: Any
                try:
                    found = await self.batcher.read(viewer, users, deadline, since)
                except Bug as bug:
                    found = dict.fromkeys(users, bug)
                assert list(found) == users
                for each, result in found.items():
                    self.told.append(Told(viewer, each, asked_at, deadline, since, self._loop.time(), result))
            case _:
                idle = viewer not in self.batcher._queues  # noqa: SLF001  nothing is under way
                result = await self._ask(viewer, user, deadline, since)
                if idle:
                    left = [
                        call
                        for call in self.adapter.calls
                        if call.viewer == viewer and call.call_started_at == asked_at
                    ]
                    assert any(user in call.users for call in left), "it did not leave at once"
                self.told.append(Told(viewer, user, asked_at, deadline, since, self._loop.time(), result))

    async def _ask(self, viewer: Viewer, user: int, deadline: float, since: float) -> LookupResult | Bug:
        try:
            return await self.batcher.result(self.batcher.ask(viewer, user, deadline, since))
        except Bug as bug:
            return bug

    async def _watch(self) -> None:
        """Whoever has gathered waits for a call."""
        while True:
            for queue in self.batcher._queues.values():  # noqa: SLF001  who waits is nowhere else to be seen
                assert not queue.gathered or queue.in_flight or queue.is_flushing
                assert queue.calls or queue.is_flushing
            await asyncio.sleep(0.01)

    def _hear(self, viewer: Viewer, user: int, result: LookupResult) -> None:
        self.results += 1
        if isinstance(result, CachedConnection):
            call_started_at = self._origin(viewer, user, result)
            assert call_started_at >= self.is_outdated.get((viewer, user), 0.0), "what was forgotten is kept"

    def _check_calls(self) -> None:
        for call in self.adapter.calls:
            assert 1 <= len(call.users) <= self.adapter.batch_size
            assert len(set(call.users)) == len(call.users)

    def _check(self, one: Told) -> None:
        assert one.heard_at <= one.deadline + OVERTAKE_AFTER, "it was told after its deadline"
        match one.result:
            case CachedConnection():
                assert self._origin(one.viewer, one.user, one.result) >= one.since, "it began before it was to"
            case DeadlineExceeded():
                assert one.heard_at >= one.deadline - OVERTAKE_AFTER, "it was given up too early"
            case Forbidden() if one.user == POISON or self.adapter.batch_size > 1:
                pass
            case UserNotFound():
                assert one.user == MISSING
            case ServerError() | Bug():
                pass
            case other:
                raise AssertionError(other)

    @staticmethod
    def _origin(viewer: Viewer, user: int, result: CachedConnection) -> float:
        """When the call began from which this is; it must be about this viewer and user."""
        word = result.connection().native_status
        assert word is not None
        whose, whom, call_started_at = word.split("/")
        assert (whose.encode(), int(whom)) == (viewer.key, user), "it is somebody else's answer"
        return float(call_started_at)


@pytest.mark.no_cover  # to be traced makes it three times as slow; the next test is, and does the same less often
def test_every_schedule_keeps_the_rules() -> None:
    chosen = os.environ.get("BATCHER_SEED")
    worlds = lived(range(SEEDS) if chosen is None else [int(chosen)])
    gathered = told = 0
    for world in worlds:
        gathered += sum(len(call.users) > 1 for call in world.adapter.calls)
        told += len(world.told)
    assert chosen or (told > 10 * SEEDS and gathered > SEEDS)


def test_a_few_whose_every_line_is_traced() -> None:
    assert sum(len(world.told) for world in lived(range(50)))


def lived(seeds: Iterable[int]) -> Iterator[World]:
    for seed in seeds:

        async def main(seed: int = seed) -> World:
            world = World(seed)
            asyncio.get_running_loop().set_exception_handler(_note_bugs)
            await world.live()
            return world

        try:
            yield clock.run(main())
        except BaseException as error:
            error.add_note(f"BATCHER_SEED={seed}")
            raise


def _note_bugs(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Those that nobody waited for; everything else is one of the test's."""
    error = context.get("exception")
    assert isinstance(error, Bug | PlatformError), context


def test_two_calls_are_under_way_before_others_gather() -> None:
    async def main() -> None:
        world = World(1)
        world.adapter.batch_size = 50
        world.adapter.slowly = True
        asking = []
        for user in range(1, 7):
            asking.append(asyncio.create_task(world._ask(VIEWERS[0], user, 100.0, ANY_TIME)))  # noqa: SLF001  our own
            await asyncio.sleep(0.01)
        await asyncio.gather(*asking)
        assert [len(call.users) for call in world.adapter.calls[: MAX_IN_FLIGHT + 1]] == [1, 1, 4]

    clock.run(main())
