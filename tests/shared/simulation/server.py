"""A store on a virtual clock: the few commands that replicas use, and what can happen to a server.

Only the simulation uses it, since no real server fails over ten thousand times in a minute. What a real one does is
tested in the folder above.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec
from redis.exceptions import ResponseError

from gateway.shared.client import Command
from gateway.shared.logins import RELEASE
from tests.shared.simulation.refresh_token import RefreshToken

Entry = tuple[tuple[int, int], dict[bytes, bytes]]
"""A message of the stream: its id, and its fields."""
NEVER: Final = float("inf")


class Lease(msgspec.Struct):
    """One that the server granted. `is_lost`: a fault of the server took it away before it expired."""

    replica: int
    value: str | bytes | int
    until: float
    is_released: bool = False
    is_lost: bool = False

    def is_live(self, now: float) -> bool:
        return now < self.until and not self.is_released and not self.is_lost


class State(msgspec.Struct):
    """What the server has in memory."""

    values: dict[str, tuple[str | bytes | int, float]] = {}
    entries: list[Entry] = []
    last: tuple[int, int] = (0, 0)
    added: int = 0
    has_stream: bool = False
    hashes: dict[str, RefreshToken] = {}

    def copy(self) -> State:
        return State(dict(self.values), list(self.entries), self.last, self.added, self.has_stream, dict(self.hashes))


class Server:
    """`ahead` is how many seconds its clock differs from that of the replicas."""

    def __init__(self, ahead: float) -> None:
        self.ahead = ahead
        self._loop = asyncio.get_running_loop()
        self._readers: list[Callable[[], None]] = []
        self.state = State()
        self.leases: dict[str, list[Lease]] = {}
        self.paused_until = 0.0
        self.down_until = 0.0
        self.generation = 0
        """connections of earlier ones are broken"""

    # what it can be asked

    def execute(self, replica: int, command: Command) -> Any:
        name, *words = command
        return getattr(self, f"_{str(name).lower()}")(replica, *words)

    def on_added(self, reader: Callable[[], None]) -> None:
        """Call this once a message is added."""
        self._readers.append(reader)

    # what can happen to it

    def restart(self, state: State, seconds: float) -> None:
        """Be away for so long, and come back with this state: an older one after a fail-over, or nothing."""
        self.down_until = self._loop.time() + seconds
        self.generation += 1
        self._replace(state)

    def flush(self) -> None:
        self._replace(State())

    def evict(self, choose: Callable[[list[str]], str]) -> None:
        """Lose one value, or the stream, as a server does that is full."""
        state = self.state.copy()
        name = choose([*state.values, "stream"])
        if name == "stream":
            state.entries, state.last, state.added, state.has_stream = [], (0, 0), 0, False
        else:
            del state.values[name]
        self._replace(state)

    def trim(self) -> None:
        self.state.entries.clear()

    def _replace(self, state: State) -> None:
        self.state = state
        now = self._loop.time()
        for name, leases in self.leases.items():
            kept = self._live(name)
            for lease in leases:
                lease.is_lost |= lease.is_live(now) and lease.value != kept

    # commands

    def _now(self) -> float:
        return self._loop.time() + self.ahead

    def _live(self, name: str) -> str | bytes | int | None:
        value, until = self.state.values.get(name, (b"", 0.0))
        return value if until > self._loop.time() else None

    def _set(self, replica: int, name: str, value: str | bytes | int, *options: str | int) -> bool | None:
        seconds = float(options[-1]) / (1000 if options[-2] == "PX" else 1)
        if "NX" in options:
            if self._live(name) is not None:
                return None
            self.leases.setdefault(name, []).append(Lease(replica, value, self._loop.time() + seconds))
        self.state.values[name] = value, self._loop.time() + seconds
        return True

    def _mget(self, _replica: int, *names: str) -> list[str | bytes | int | None]:
        return [self._live(name) for name in names]

    def _eval(self, _replica: int, script: str, _count: int, name: str, *words: Any) -> Any:
        if script == RELEASE:
            return self._release(name, *words)
        refresh_token = self.state.hashes.setdefault(name, RefreshToken())
        return refresh_token.run(script, int(self._now()), *words)

    def _release(self, name: str, value: str) -> int:
        if self._live(name) != value:
            return 0
        del self.state.values[name]
        for lease in self.leases[name]:
            lease.is_released |= lease.value == value
        return 1

    def _xadd(self, _replica: int, _name: str, *words: Any) -> bytes:
        state, milliseconds = self.state, int(self._now() * 1000)
        state.last = max((milliseconds, 0), (state.last[0], state.last[1] + 1))
        state.entries.append((state.last, {b"m": words[-1]}))
        state.added += 1
        state.has_stream = True
        readers, self._readers = self._readers, []
        for reader in readers:
            reader()
        return _id(state.last)

    def _xread(self, _replica: int, *words: Any) -> list[Any]:
        since = tuple(map(int, words[-1].split(b"-")))
        count = words[words.index("COUNT") + 1]
        found = [entry for entry in self.state.entries if entry[0] > since][:count]
        return [[b"stream", _shown(found)]] if found else []

    def _xrange(self, _replica: int, _name: str, since: str, _end: str) -> list[Any]:
        first = tuple(map(int, since.split("-")))
        return _shown([entry for entry in self.state.entries if entry[0] >= first])

    def _xinfo(self, _replica: int, *_words: str) -> Any:
        if not self.state.has_stream:
            return ResponseError("no such key")
        return [b"last-generated-id", _id(self.state.last), b"entries-added", self.state.added]

    def _time(self, _replica: int) -> tuple[int, int]:
        now = self._now()
        return int(now), int(now % 1 * 1e6)

    def _expire(self, _replica: int, *_words: object) -> int:
        return 1

    def _ping(self, _replica: int) -> bytes:
        return b"PONG"


def _id(place: tuple[int, int]) -> bytes:
    return b"%d-%d" % place


def _shown(entries: list[Entry]) -> list[tuple[bytes, dict[bytes, bytes]]]:
    return [(_id(place), fields) for place, fields in entries]
