"""Lookups of one platform: what is fresh is told, the rest is asked, and what can't be asked is told as stale."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Final

import msgspec

from adapters.contract import (
    Adapter,
    DeadlineExceeded,
    Overloaded,
    PlatformError,
    ServerError,
    Throttled,
    Unavailable,
    Unreachable,
    Viewer,
)
from adapters.loop import OneLoop
from adapters.secret import Quiet
from gateway.aio.background_tasks import Background
from gateway.explain.timeline import StepKind
from gateway.platforms.freshness import ANY_TIME
from gateway.platforms.list_cache import PlatformListCache
from gateway.platforms.lookup.batcher import Batcher
from gateway.platforms.lookup.cache import Shelf
from gateway.platforms.lookup.encoded import Known
from gateway.platforms.lookup.observer import UNHEARD, Account
from gateway.platforms.lookup.pending import Said
from gateway.problems.problem import OF_PLATFORM_ERROR
from gateway.transports.stack import Stack

OUT_OF_REACH: Final = (DeadlineExceeded, Overloaded, ServerError, Throttled, Unavailable, Unreachable)
"""Failures that say nothing of the connection, only that the platform could not be asked about it now."""
HIT: Final = b"connection-gateway; hit"
MISS: Final = b"connection-gateway; fwd=miss"
EXPIRED: Final = b"connection-gateway; fwd=stale"
REQUESTED: Final = b"connection-gateway; fwd=request"
"""Where the answer came from, as `Cache-Status` says it (RFC 9211)."""
WORDS: Final = {why: why.rpartition(b"=")[2].decode() for why in (MISS, EXPIRED, REQUESTED)}
"""`miss`, `stale` and `request`."""
COLLAPSED: Final = {why: why + b"; collapsed" for why in (MISS, EXPIRED, REQUESTED)}
"""The same, for who joined a call that was asked already."""
STALE: Final[Mapping[type[PlatformError], bytes]] = {
    kind: b"connection-gateway; fwd=stale; detail=%s" % OF_PLATFORM_ERROR[kind].slug.encode() for kind in OUT_OF_REACH
}


class Reading(Quiet, msgspec.Struct, frozen=True, gc=False):
    """A Connection in JSON, when the platform said so (`loop.time()`), its age in seconds, and where it came from."""

    known: Known
    body: bytes
    at: float
    age: int
    source: bytes


class Lookups(OneLoop):
    """`since` (`loop.time()`) is from when an answer has to be; a stale one will do only with `ANY_TIME`.

    `account` is told how the answer comes to be.
    """

    def __init__(
        self, adapter: Adapter, shelf: Shelf, lists: PlatformListCache, stack: Stack, reads: Background
    ) -> None:
        self._shelf = shelf
        self._lists = lists
        self._room = stack.room
        self._batcher = Batcher(adapter, reads, self._hear, stack.spans, max_calls=stack.max_calls)

    async def one(
        self,
        viewer: Viewer,
        user_id: int,
        deadline: float,
        since: float = ANY_TIME,
        account: Account = UNHEARD,
    ) -> Reading:
        """Where `viewer` stands with `user_id`, by `deadline` (`loop.time()`). Raises a PlatformError."""
        now = self._loop.time()
        fresh = self._shelf.fresh(viewer, user_id, since, now)
        if fresh is not None:
            account.note(StepKind.CACHE, "hit")
            return Reading(fresh, fresh.body, fresh.at, int(now - fresh.at), HIT)
        why = self._why_asked(self._shelf.get(viewer, user_id), now)
        account.note(StepKind.CACHE, WORDS[why])
        try:
            with self._room:
                asked = self._batcher.ask(viewer, user_id, deadline, since)
                account.waits(asked)
                if asked.joined:
                    why = COLLAPSED[why]
                said = await self._batcher.hear(asked)
        except Overloaded as overloaded:
            account.note(StepKind.REFUSED, "waiting_room")
            said = overloaded
        found = self._reading(viewer, user_id, said, since, why)
        if isinstance(found, PlatformError):
            raise found.with_traceback(None)  # it is raised for everybody who waited
        return found

    async def many(
        self,
        viewer: Viewer,
        user_ids: Iterable[int],
        deadline: float,
        since: float = ANY_TIME,
        account: Account = UNHEARD,
    ) -> Mapping[int, Reading | PlatformError]:
        """As `one`, of each of these different users, in few calls."""
        found, asked = self._cached(viewer, user_ids, since, account)
        said = await self.live(viewer, asked, deadline, since)
        return found | self._readings(viewer, said, since, asked)

    async def many_in_parts(
        self,
        viewer: Viewer,
        user_ids: Iterable[int],
        deadline: float,
        since: float = ANY_TIME,
        account: Account = UNHEARD,
    ) -> AsyncGenerator[Mapping[int, Reading | PlatformError]]:
        """As `many`, each part as soon as it is known: first what is cached."""
        found, asked = self._cached(viewer, user_ids, since, account)
        if found:
            yield found
        try:
            with self._room:
                async with contextlib.aclosing(self._batcher.read_in_parts(viewer, asked, deadline, since)) as parts:
                    async for part in parts:
                        yield self._readings(viewer, part, since, asked)
        except Overloaded as overloaded:
            yield self._readings(viewer, dict.fromkeys(asked, overloaded), since, asked)

    def _cached(
        self, viewer: Viewer, user_ids: Iterable[int], since: float, account: Account
    ) -> tuple[dict[int, Reading | PlatformError], dict[int, bytes]]:
        """What needs no call, and why each of the others does."""
        now = self._loop.time()
        found: dict[int, Reading | PlatformError] = {}
        asked: dict[int, bytes] = {}
        for user_id in user_ids:
            fresh = self._shelf.fresh(viewer, user_id, since, now)
            if fresh is not None:
                found[user_id] = Reading(fresh, fresh.body, fresh.at, int(now - fresh.at), HIT)
            else:
                asked[user_id] = self._why_asked(self._shelf.get(viewer, user_id), now)
        account.note(StepKind.CACHE, f"{len(found)} of {len(found) + len(asked)}")
        return found, asked

    async def live(
        self, viewer: Viewer, user_ids: Iterable[int], deadline: float, since: float = ANY_TIME
    ) -> Mapping[int, Said]:
        """What the platform itself says of each of these different users."""
        asked = tuple(user_ids)
        if not asked:
            return {}
        try:
            with self._room:
                return await self._batcher.read(viewer, asked, deadline, since)
        except Overloaded as overloaded:
            return dict.fromkeys(asked, overloaded)

    def _hear(self, viewer: Viewer, user_id: int, said: Said) -> None:
        if isinstance(said, Known):
            self._shelf.put(viewer.key, user_id, said)
        else:
            self.hear(viewer, user_id, said)

    def hear(self, viewer: Viewer, user_id: int | None, error: PlatformError) -> None:
        """What the platform refused outside a lookup ends what was kept as well."""
        self._shelf.hear(viewer, user_id, error)
        self._lists.on_refusal(viewer, user_id, error)

    def forget(self, viewer: Viewer, user_id: int) -> None:
        """What was said of this user, or is being said, may not be so any more."""
        self._shelf.take(viewer.key, user_id)
        self._batcher.forget(viewer, user_id)
        self._lists.invalidate(viewer.key)

    def close(self) -> None:
        """Keep nothing, now and later."""
        self._shelf.close()
        self._lists.close()

    def _why_asked(self, known: Known | None, now: float) -> bytes:
        if known is None:
            return MISS
        return REQUESTED if self._shelf.is_fresh(known, now) else EXPIRED

    def _readings(
        self, viewer: Viewer, said: Mapping[int, Said], since: float, why_asked: Mapping[int, bytes]
    ) -> dict[int, Reading | PlatformError]:
        return {
            user_id: self._reading(viewer, user_id, each, since, why_asked[user_id]) for user_id, each in said.items()
        }

    def _reading(
        self, viewer: Viewer, user_id: int, said: Said, since: float, why_asked: bytes
    ) -> Reading | PlatformError:
        if isinstance(said, Known):
            return Reading(said, said.body, said.at, 0, why_asked)
        if isinstance(said, OUT_OF_REACH) and since == ANY_TIME:
            now = self._loop.time()
            known = self._shelf.get(viewer, user_id)
            if known is not None and self._shelf.is_kept(known, now):
                return Reading(known, known.stale_body(), known.at, int(now - known.at), STALE[type(said)])
        return said
