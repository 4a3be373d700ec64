"""Lookups of one platform: from the cache if fresh, else from the platform, else from the cache as stale."""

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
from adapters.secret import RedactedRepr
from gateway.aio.background_tasks import BackgroundTasks
from gateway.explain.timeline import StepKind
from gateway.platforms.freshness import ANY_TIME
from gateway.platforms.list_cache import PlatformListCache
from gateway.platforms.lookup.batcher import Batcher
from gateway.platforms.lookup.cache import PlatformCache
from gateway.platforms.lookup.encoded import CachedConnection
from gateway.platforms.lookup.observer import NO_OBSERVER, LookupObserver
from gateway.platforms.lookup.pending import LookupResult
from gateway.platforms.replicas import ALONE, Replicas
from gateway.problems.problem import OF_PLATFORM_ERROR
from gateway.transports.stack import Stack

OUT_OF_REACH: Final = (DeadlineExceeded, Overloaded, ServerError, Throttled, Unavailable, Unreachable)
"""Failures that say only that the platform could not be asked: a stale answer may stand in."""
HIT: Final = b"connection-gateway; hit"
MISS: Final = b"connection-gateway; fwd=miss"
EXPIRED: Final = b"connection-gateway; fwd=stale"
REQUESTED: Final = b"connection-gateway; fwd=request"
"""Where an answer came from, as values of `Cache-Status` (RFC 9211)."""
WORDS: Final = {why: why.rpartition(b"=")[2].decode() for why in (MISS, EXPIRED, REQUESTED)}
"""`miss`, `stale` and `request`."""
COLLAPSED: Final = {why: why + b"; collapsed" for why in (MISS, EXPIRED, REQUESTED)}
"""The same for a lookup that joined a call in flight."""
STALE: Final[Mapping[type[PlatformError], bytes]] = {
    kind: b"connection-gateway; fwd=stale; detail=%s" % OF_PLATFORM_ERROR[kind].slug.encode() for kind in OUT_OF_REACH
}


class Reading(RedactedRepr, msgspec.Struct, frozen=True, gc=False):
    """A connection in JSON, when the platform said so (`loop.time()`), its age in seconds, and where it came from."""

    cached: CachedConnection
    body: bytes
    at: float
    age: int
    source: bytes


class Lookups(OneLoop):
    """Looks up connections, from the cache or from the platform.

    `since` (`loop.time()`) is the oldest that an answer may be; a stale one is served only for `ANY_TIME`. `deadline`
    (`loop.time()`) ends the waiting, not the call to the platform. `observer` is told how the answer comes to be.
    """

    def __init__(
        self,
        adapter: Adapter,
        cache: PlatformCache,
        lists: PlatformListCache,
        stack: Stack,
        reads: BackgroundTasks,
        *,
        replicas: Replicas = ALONE,
    ) -> None:
        self._cache = cache
        self._lists = lists
        self._room = stack.room
        self._replicas = replicas
        self._batcher = Batcher(adapter, reads, self._on_result, stack.spans, max_calls=stack.max_calls)

    async def one(
        self,
        viewer: Viewer,
        user_id: int,
        deadline: float,
        since: float = ANY_TIME,
        observer: LookupObserver = NO_OBSERVER,
    ) -> Reading:
        """Return the connection of `viewer` with `user_id`. Raises a PlatformError."""
        now = self._loop.time()
        fresh = self._cache.get_fresh(viewer, user_id, since, now)
        if fresh is not None:
            observer.note(StepKind.CACHE, "hit")
            return Reading(fresh, fresh.body, fresh.at, int(now - fresh.at), HIT)
        why = self._why_asked(self._cache.get(viewer, user_id), now)
        observer.note(StepKind.CACHE, WORDS[why])
        try:
            with self._room:
                asked = self._batcher.ask(viewer, user_id, deadline, since)
                observer.waits(asked)
                if asked.joined:
                    why = COLLAPSED[why]
                said = await self._batcher.result(asked)
        except Overloaded as overloaded:
            observer.note(StepKind.REFUSED, "waiting_room")
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
        observer: LookupObserver = NO_OBSERVER,
    ) -> Mapping[int, Reading | PlatformError]:
        """Return the connection with each of these different users, or its PlatformError, in few calls."""
        found, asked = self._cached(viewer, user_ids, since, observer)
        said = await self.live(viewer, asked, deadline, since)
        return found | self._readings(viewer, said, since, asked)

    async def many_in_parts(
        self,
        viewer: Viewer,
        user_ids: Iterable[int],
        deadline: float,
        since: float = ANY_TIME,
        observer: LookupObserver = NO_OBSERVER,
    ) -> AsyncGenerator[Mapping[int, Reading | PlatformError]]:
        """Yield what `many` returns in parts, each as soon as it is known. Cached entries come first."""
        found, asked = self._cached(viewer, user_ids, since, observer)
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
        self, viewer: Viewer, user_ids: Iterable[int], since: float, observer: LookupObserver
    ) -> tuple[dict[int, Reading | PlatformError], dict[int, bytes]]:
        """Return the cached entries, and for each other user why the platform has to be asked."""
        now = self._loop.time()
        found: dict[int, Reading | PlatformError] = {}
        asked: dict[int, bytes] = {}
        for user_id in user_ids:
            fresh = self._cache.get_fresh(viewer, user_id, since, now)
            if fresh is not None:
                found[user_id] = Reading(fresh, fresh.body, fresh.at, int(now - fresh.at), HIT)
            else:
                asked[user_id] = self._why_asked(self._cache.get(viewer, user_id), now)
        observer.note(StepKind.CACHE, f"{len(found)} of {len(found) + len(asked)}")
        return found, asked

    async def live(
        self, viewer: Viewer, user_ids: Iterable[int], deadline: float, since: float = ANY_TIME
    ) -> Mapping[int, LookupResult]:
        """Return what the platform itself says of each of these different users, past the cache."""
        asked = tuple(user_ids)
        if not asked:
            return {}
        try:
            with self._room:
                return await self._batcher.read(viewer, asked, deadline, since)
        except Overloaded as overloaded:
            return dict.fromkeys(asked, overloaded)

    def _on_result(self, viewer: Viewer, user_id: int, said: LookupResult) -> None:
        if isinstance(said, CachedConnection):
            self._cache.put(viewer.key, user_id, said)
        else:
            self.on_refusal(viewer, user_id, said)

    def on_refusal(self, viewer: Viewer, user_id: int | None, error: PlatformError) -> None:
        """Evict what a failure, of a lookup or of anything else, makes unfit to be served, here and elsewhere."""
        self.drop_refused(viewer, user_id, error)
        self._replicas.refused(viewer, user_id, error)

    def drop_refused(self, viewer: Viewer, user_id: int | None, error: PlatformError) -> None:
        """As `on_refusal`, in this process alone."""
        self._cache.on_refusal(viewer, user_id, error)
        self._lists.on_refusal(viewer, user_id, error)

    def invalidate(self, viewer: Viewer, user_id: int) -> None:
        """Evict what is cached of this user, and keep nothing of what calls in flight say: it may have changed.

        Other replicas are told to do the same.
        """
        self.drop(viewer, user_id)
        self._replicas.evicted(viewer, user_id)

    def drop(self, viewer: Viewer, user_id: int) -> None:
        """As `invalidate`, in this process alone."""
        self._cache.evict(viewer.key, user_id)
        self._batcher.invalidate(viewer, user_id)
        self._lists.invalidate(viewer.key)

    def clear(self) -> None:
        """Evict everything, and keep nothing of what calls in flight say."""
        self._cache.clear()
        self._batcher.invalidate_all()
        self._lists.clear()

    def close(self) -> None:
        """Evict everything, and keep nothing from now on."""
        self._cache.close()
        self._lists.close()

    def _why_asked(self, cached: CachedConnection | None, now: float) -> bytes:
        if cached is None:
            return MISS
        return REQUESTED if self._cache.is_fresh(cached, now) else EXPIRED

    def _readings(
        self, viewer: Viewer, said: Mapping[int, LookupResult], since: float, why_asked: Mapping[int, bytes]
    ) -> dict[int, Reading | PlatformError]:
        return {
            user_id: self._reading(viewer, user_id, each, since, why_asked[user_id]) for user_id, each in said.items()
        }

    def _reading(
        self, viewer: Viewer, user_id: int, said: LookupResult, since: float, why_asked: bytes
    ) -> Reading | PlatformError:
        if isinstance(said, CachedConnection):
            return Reading(said, said.body, said.at, 0, why_asked)
        if isinstance(said, OUT_OF_REACH) and since == ANY_TIME:
            now = self._loop.time()
            cached = self._cache.get(viewer, user_id)
            if cached is not None and self._cache.may_serve_stale(cached, now):
                return Reading(cached, cached.stale_body(), cached.at, int(now - cached.at), STALE[type(said)])
        return said
