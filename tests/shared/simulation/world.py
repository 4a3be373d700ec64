"""Three replicas, a store and a pod; what happens to them under one seed, and what must be true meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from functools import partial
from random import Random
from typing import Any, Final

import msgspec

from adapters.contract import Action, PlatformError
from gateway.problems.problem import Problem
from gateway.transports.throttle import ANNOUNCED
from tests.shared.simulation.network import Link, Weather
from tests.shared.simulation.pod import USERS, VIEWERS, Call, Key, Pod, key_of
from tests.shared.simulation.replica import REQUEST_TIMEOUT, VIEWER, Observers, Replica
from tests.shared.simulation.server import Server, State
from tests.wire import Bounded

KEYS: Final = [(viewer, user) for viewer in VIEWERS for user in USERS]
LASTS: Final = 8.0
"""Seconds in which things happen."""
HEALED_AFTER: Final = 20.0
"""Seconds after which everybody has found the store again, and every throttle window is over."""
SOON: Final = 0.1
"""Seconds in which a message is everywhere if nothing fails."""
EXCUSED: Final = 2 * REQUEST_TIMEOUT
"""Seconds in which a failure of the store may be why a replica logs in by itself."""


class World:
    """`is_calm`: nothing fails, and nothing is slow. Then more must be true."""

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)  # noqa: S311
        self.is_calm = seed % 4 == 0
        self.counts: Counter[str] = Counter()
        self._loop = asyncio.get_running_loop()
        self.server = Server(1.7e9 + random.uniform(-3600, 3600))
        self.pod = Pod(
            random,
            on_call=self._on_call,
            on_throttled=self._on_throttled,
            slow=0.0 if self.is_calm else random.choice((0.0, 0.2)),
        )
        self._floors: dict[tuple[int, Key], int] = defaultdict(int)
        """by replica and connection: the oldest version that a lookup which begins now may return"""
        self._held_until: dict[int, float] = defaultdict(float)
        """by replica: the end of the window of which it knows"""
        self._expired = 0
        self.is_complete = True
        """whether no replica ended before it could tell the others what it did"""
        self.broken: list[str] = []
        """what was not true; asserted at the end, since an exception here would be a failure of the pod"""
        observers = Observers(self._on_evicted, self._on_told_of_window)
        self.replicas = [
            Replica(Link(number, self.server, random, self._weather()), Bounded(self.pod.wire(number)), observers)
            for number in range(3)
        ]

    async def run(self) -> None:
        await asyncio.gather(*map(self._start, self.replicas))
        happening = [(self._request, 60), (self._expire_sessions, 2), (self._throttle, 1), (self._restart_replica, 1)]
        if not self.is_calm:
            happening.append((self._fail, 8))
        at = [self._loop.time() + self.random.uniform(0, LASTS) for _ in range(sum(times for _, times in happening))]
        doing = [each for each, times in happening for _ in range(times)]
        for time, do in sorted(zip(at, doing, strict=True), key=lambda each: each[0]):
            await asyncio.sleep(max(time - self._loop.time(), 0.0))
            await do()
        await self._heal()
        if self.is_complete:
            for replica in self.replicas:
                await self._check_settled(replica)
        if self.is_calm:
            for number in VIEWER:
                self._require(self.pod.logins[number] <= 1 + self._expired, "one login for all")
        for replica in self.replicas:
            await replica.stop()
        assert not self.broken, self.broken

    # what happens

    def _weather(self) -> Weather:
        if self.is_calm or self.random.random() < 0.5:
            return Weather()
        chances = (0.0, 0.02, 0.2)
        return Weather(
            slow=self.random.choice(chances), lost=self.random.choice(chances), reset=self.random.choice((0.0, 0.02))
        )

    async def _request(self) -> None:
        replica, key = self.random.choice(self.replicas), self.random.choice(KEYS)
        if self.random.random() < 0.2:
            replica.begin(partial(self._act, replica, key))
            return
        for _ in range(self.random.choice((1, 1, 3))):  # users asked for together share a call
            other = key[0], self.random.choice(USERS)
            replica.begin(partial(self._look_up, replica, other))

    async def _expire_sessions(self) -> None:
        self._expired += 1
        self.pod.expire_sessions()

    async def _throttle(self) -> None:
        self.pod.throttling = float(self.random.choice((1, 2, 5)))

    async def _restart_replica(self) -> None:
        replica = self.random.choice(self.replicas)
        await replica.stop()
        self.is_complete &= not replica.unconfirmed
        self._held_until[replica.link.replica] = 0
        await self._start(replica)

    async def _fail(self) -> None:
        random, server, now = self.random, self.server, self._loop.time()
        lasts = random.choice((0.05, 0.3, 1.0, 3.0))
        match random.choice(("cut", "cut", "pause", "fail over", "restart", "flush", "evict", "evict", "trim")):
            case "cut":
                random.choice(self.replicas).link.cut_until = now + lasts
            case "pause":
                server.paused_until = now + lasts
            case "fail over":
                behind = server.state.copy()
                await asyncio.sleep(random.uniform(0, 0.5))
                server.ahead += random.choice((0.0, 0.0, -3600.0, 3600.0))
                server.restart(behind, random.choice((0.0, lasts)))
            case "restart":
                server.restart(State(), lasts)
            case "flush":
                server.flush()
            case "evict":
                server.evict(random.choice)
            case "trim":
                server.trim()

    async def _start(self, replica: Replica) -> None:
        replica.start()
        await asyncio.sleep(SOON)
        replica.is_running = True

    async def _heal(self) -> None:
        for replica in self.replicas:
            replica.link.weather = Weather()
        await asyncio.sleep(HEALED_AFTER)
        for replica in self.replicas:
            await replica.until_done()

    async def _look_up(self, replica: Replica, key: Key) -> None:
        floor = self._floors[replica.link.replica, key]
        try:
            reading = await replica.platform.lookups.one(VIEWER[key[0]], key[1], self._loop.time() + REQUEST_TIMEOUT)
        except PlatformError as error:
            self.counts[type(error).__name__] += 1
        else:
            self._judge(key, reading.body, floor)

    async def _act(self, replica: Replica, key: Key) -> None:
        action = self.random.choice((Action.REQUEST, Action.REMOVE))
        deadline = self._loop.time() + REQUEST_TIMEOUT
        try:
            await replica.platform.act(
                VIEWER[key[0]], key[1], action, deadline=deadline, until=deadline, late=lambda _ended: None
            )
        except (PlatformError, Problem):
            self.counts["failed actions"] += 1
        else:
            self.counts["actions"] += 1
            self._floors[replica.link.replica, key] = self.pod.versions[key]

    # what must be true

    def _require(self, condition: bool, what: str) -> None:
        if not condition:
            self.broken.append(f"{what}, at {self._loop.time():.3f}")

    def _judge(self, key: Key, body: bytes, floor: int) -> None:
        shown: dict[str, Any] = msgspec.json.decode(body)
        current = self.pod.versions[key]
        if shown["status"] == "none":
            self._require(any(version % 2 for version in range(floor, current + 1)), "an answer that was evicted")
        else:
            whose, version = key_of(shown["request_count"])
            self._require(whose == key, "an answer of somebody else")
            self._require(version >= floor, "an answer that was evicted")
        self.counts["lookups"] += 1

    async def _check_settled(self, replica: Replica) -> None:
        """Whatever happened, in the end everybody knows of every action."""
        assert replica.shared.store.is_up
        for key in KEYS:
            self._floors[replica.link.replica, key] = self.pod.versions[key]
            await self._look_up(replica, key)

    def _on_evicted(self, number: int, key: Key | None) -> None:
        self.counts["gaps" if key is None else "evictions"] += 1
        for each in KEYS if key is None else [key]:
            self._floors[number, each] = self.pod.versions[each]

    def _on_throttled(self, number: int, seconds: float) -> None:
        self.counts["windows"] += 1
        until = self._loop.time() + seconds
        self._hold(number, until)
        if self.is_calm:
            self._loop.call_later(SOON, self._check_everybody_holds, until)

    def _on_told_of_window(self, number: int, seconds: float) -> None:
        self.counts["windows of others"] += 1
        self._hold(number, self._loop.time() + seconds)

    def _check_everybody_holds(self, until: float) -> None:
        for replica in self.replicas:
            if replica.is_running and replica.started_at < self._loop.time() - SOON:
                self._require(
                    self._held_until[replica.link.replica] >= until - ANNOUNCED - SOON,
                    "a window that was kept secret",
                )

    def _hold(self, number: int, until: float) -> None:
        self._held_until[number] = max(self._held_until[number], until)

    def _on_call(self, call: Call) -> None:
        now = self._loop.time()
        self._require(now >= self._held_until[call.replica] - 1e-6, "a call inside a window")
        if call.login is not None:
            self.counts["logins"] += 1
            self._require(self._may_log_in(call.replica, call.login, now), "a login beside that of another replica")

    def _may_log_in(self, number: int, viewer: int, now: float) -> bool:
        """Under its own lease; or because a lease ran out, or was lost, or because the store was no help."""
        replica = self.replicas[number]
        leases = self.server.leases.get(replica.lease_of(viewer), [])
        live = [each for each in leases if each.is_live(now)]
        self._require(len(live) <= 1, "two live leases")
        if live and live[0].replica == number:
            return True
        if not self.is_calm and (not replica.shared.store.is_up or replica.link.failed_at > now - EXCUSED):
            return True
        ended = [each for each in leases if not each.is_released and not each.is_live(now)]
        return any(each.is_lost or each.until > now - EXCUSED for each in ended)
