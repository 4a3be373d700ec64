"""Lookups of one platform: from the cache if fresh, else from the platform, else from the cache as stale.

Long, because the ways to look up and the ways to invalidate are one surface over the same cache and batcher.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping

import msgspec

from adapters.contract import Adapter, Overloaded, PlatformError, Viewer
from adapters.loop import OneLoop
from adapters.secret import RedactedRepr
from adapters.user_ids import UserKey
from gateway.aio.background_tasks import BackgroundTasks
from gateway.explain.timeline import StepKind
from gateway.platforms.list_cache import PlatformListCache
from gateway.platforms.lookup.batcher import Batcher
from gateway.platforms.lookup.cache import PlatformCache
from gateway.platforms.lookup.encoded import CachedConnection, SharedConnection
from gateway.platforms.lookup.observer import NO_OBSERVER, LookupObserver
from gateway.platforms.lookup.origin import STALE, Origin
from gateway.platforms.lookup.pending import LookupResult
from gateway.platforms.replicas import ALONE, Replicas
from gateway.platforms.second_tier import SecondTier
from gateway.platforms.staleness import ANY_TIME, OUT_OF_REACH, may_be_stale
from gateway.transports.stack import Stack


class Reading(RedactedRepr, msgspec.Struct, frozen=True, gc=False):
    """A connection in JSON, when the platform said so (`loop.time()`), its age in seconds, and where it came from."""

    cached: CachedConnection
    body: bytes
    at: float
    age: int
    origin: Origin


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
        second_tier: SecondTier | None = None,
    ) -> None:
        self._cache = cache
        self._lists = lists
        self._room = stack.room
        self._replicas = replicas
        self._second_tier = second_tier
        self.on_result: Callable[[Viewer, UserKey, LookupResult], None] | None = None
        """called with each result that is not outdated, while connections are watched"""
        self._counts = stack.metrics.lookups
        self._batcher = Batcher(
            adapter,
            reads,
            self._on_result,
            stack.spans,
            max_calls=stack.max_calls,
            size=stack.metrics.batch,
            second_tier=second_tier,
        )

    async def one(
        self,
        viewer: Viewer,
        user_id: UserKey,
        deadline: float,
        since: float = ANY_TIME,
        observer: LookupObserver = NO_OBSERVER,
    ) -> Reading:
        """Return the connection of `viewer` with `user_id`. Raises a PlatformError."""
        now = self._loop.time()
        fresh, origin = self._cache.get_fresh(viewer, user_id, since, now)
        self._counts.cached[origin.word].value += 1
        observer.note(StepKind.CACHE, origin.word)
        if fresh is not None:
            return Reading(fresh, fresh.body, fresh.at, int(now - fresh.at), origin)
        try:
            with self._room:
                asked = self._batcher.ask(viewer, user_id, deadline, since)
                observer.waits(asked)
                if asked.joined:
                    self._counts.coalesced.value += 1
                    origin = origin.joined()
                result = await self._batcher.result(asked)
        except Overloaded as overloaded:
            observer.note(StepKind.REFUSED, "waiting_room")
            result = overloaded
        found = self._reading(viewer, user_id, result, since, origin)
        if isinstance(found, PlatformError):
            raise found.with_traceback(None)  # it is raised for everybody who waited
        return found

    async def many(
        self,
        viewer: Viewer,
        user_ids: Iterable[UserKey],
        deadline: float,
        since: float = ANY_TIME,
        observer: LookupObserver = NO_OBSERVER,
    ) -> Mapping[UserKey, Reading | PlatformError]:
        """Return the connection with each of these different users, or its PlatformError, in few calls."""
        found, asked = self._cached(viewer, user_ids, since, observer)
        results = await self._read(viewer, asked, deadline, since)
        return found | self._readings(viewer, results, since, asked)

    async def many_in_parts(
        self,
        viewer: Viewer,
        user_ids: Iterable[UserKey],
        deadline: float,
        since: float = ANY_TIME,
        observer: LookupObserver = NO_OBSERVER,
    ) -> AsyncGenerator[Mapping[UserKey, Reading | PlatformError]]:
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
        self, viewer: Viewer, user_ids: Iterable[UserKey], since: float, observer: LookupObserver
    ) -> tuple[dict[UserKey, Reading | PlatformError], dict[UserKey, Origin]]:
        """Return the cached entries, and for each other user, who has to be asked for, what the cache had."""
        now = self._loop.time()
        found: dict[UserKey, Reading | PlatformError] = {}
        asked: dict[UserKey, Origin] = {}
        for user_id in user_ids:
            fresh, origin = self._cache.get_fresh(viewer, user_id, since, now)
            self._counts.cached[origin.word].value += 1
            if fresh is None:
                asked[user_id] = origin
            else:
                found[user_id] = Reading(fresh, fresh.body, fresh.at, int(now - fresh.at), origin)
        observer.note(StepKind.CACHE, f"{len(found)} of {len(found) + len(asked)}")
        return found, asked

    async def live(
        self, viewer: Viewer, user_ids: Iterable[UserKey], deadline: float
    ) -> Mapping[UserKey, LookupResult]:
        """Return what the platform itself says of each of these different users, past the cache."""
        return await self._read(viewer, user_ids, deadline, is_live=True)

    async def _read(
        self,
        viewer: Viewer,
        user_ids: Iterable[UserKey],
        deadline: float,
        since: float = ANY_TIME,
        *,
        is_live: bool = False,
    ) -> Mapping[UserKey, LookupResult]:
        asked = tuple(user_ids)
        if not asked:
            return {}
        try:
            with self._room:
                return await self._batcher.read(viewer, asked, deadline, since, is_live=is_live)
        except Overloaded as overloaded:
            return dict.fromkeys(asked, overloaded)

    async def read_watched(
        self, viewer: Viewer, user_ids: Collection[UserKey], deadline: float
    ) -> Mapping[UserKey, LookupResult]:
        """As `live`, for no caller: it takes no caller's place."""
        return await self._batcher.read(viewer, user_ids, deadline, is_live=True)

    def fresh(self, viewer: Viewer, user_id: UserKey, since: float) -> Reading | None:
        """Return the cached entry if it is fresh and not from before `since` (`loop.time()`)."""
        now = self._loop.time()
        fresh, origin = self._cache.get_fresh(viewer, user_id, since, now)
        return None if fresh is None else Reading(fresh, fresh.body, fresh.at, int(now - fresh.at), origin)

    def reading(self, viewer: Viewer, user_id: UserKey, result: LookupResult) -> Reading | PlatformError:
        """What a caller that takes any answer is told, now that a lookup has returned this."""
        return self._reading(viewer, user_id, result, ANY_TIME, Origin.MISS)

    def _on_result(self, viewer: Viewer, user_id: UserKey, result: LookupResult) -> None:
        if isinstance(result, SharedConnection):
            known = self._cache.get_stale(viewer, user_id, self._loop.time())
            if known is None or known.at < result.at:
                self._cache.put(viewer.key, user_id, result)
            return  # it is no news for who watches
        if isinstance(result, CachedConnection):
            self._cache.put(viewer.key, user_id, result)
        else:
            self.on_refusal(viewer, user_id, result)
        if self.on_result is not None:
            self.on_result(viewer, user_id, result)

    def on_refusal(self, viewer: Viewer, user_id: UserKey | None, error: PlatformError) -> None:
        """Evict what a failure, of a lookup or of anything else, makes unfit to be served, here and elsewhere."""
        self.drop_refused(viewer, user_id, error)
        self._replicas.refused(viewer, user_id, error)

    def drop_refused(self, viewer: Viewer, user_id: UserKey | None, error: PlatformError) -> None:
        """As `on_refusal`, in this process alone."""
        if self._second_tier is not None and not isinstance(error, OUT_OF_REACH):
            self._second_tier.discard_reads()
        self._cache.on_refusal(viewer, user_id, error)
        self._lists.on_refusal(viewer, user_id, error)

    def invalidate(self, viewer: Viewer, user_id: UserKey) -> None:
        """Evict what is cached of this user, and keep nothing of what calls in flight say: it may have changed.

        Other replicas are told to do the same.
        """
        self.drop(viewer, user_id)
        self._replicas.evicted(viewer, user_id)

    def drop(self, viewer: Viewer, user_id: UserKey) -> None:
        """As `invalidate`, in this process alone."""
        self._cache.evict(viewer.key, user_id)
        self._batcher.invalidate(viewer, user_id)
        self._lists.invalidate(viewer.key)

    def clear(self) -> None:
        """Evict everything, and keep nothing of what calls in flight say."""
        self._cache.clear()
        self._batcher.invalidate_all()
        self._lists.clear()

    def invalidate_users(self, user_ids: Collection[UserKey]) -> None:
        """As `invalidate`, for every viewer; and evict all lists, since any of them may have named one of these."""
        self._cache.evict_users(user_ids)
        self._batcher.invalidate_users(user_ids)
        self._lists.clear()

    def close(self) -> None:
        """Evict everything, and keep nothing from now on."""
        self._cache.close()
        self._lists.close()

    def _readings(
        self, viewer: Viewer, results: Mapping[UserKey, LookupResult], since: float, origins: Mapping[UserKey, Origin]
    ) -> dict[UserKey, Reading | PlatformError]:
        return {
            user_id: self._reading(viewer, user_id, each, since, origins[user_id])
            for user_id, each in results.items()
        }

    def _reading(
        self, viewer: Viewer, user_id: UserKey, result: LookupResult, since: float, origin: Origin
    ) -> Reading | PlatformError:
        if isinstance(result, SharedConnection):
            return Reading(result, result.body, result.at, int(self._loop.time() - result.at), Origin.SHARED)
        if isinstance(result, CachedConnection):
            return Reading(result, result.body, result.at, 0, origin)
        if may_be_stale(result, since):
            now = self._loop.time()
            stale = self._cache.get_stale(viewer, user_id, now)
            if stale is not None:
                self._counts.stale.value += 1
                return Reading(stale, stale.stale_body(), stale.at, int(now - stale.at), STALE[type(result)])
        return result
