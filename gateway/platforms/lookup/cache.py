"""The cache of lookups: what platforms answered lately, by viewer and user.

The rules:
- Cached is what a platform said of one user to one viewer, `none` like any status; no failure and no refusal.
- An entry is fresh for `fresh_for` seconds. Then it is kept until it is `stale_for` seconds old, to be served as
  stale when the platform can't be asked.
- A refusal evicts: 401 all entries of the viewer, 403 and 404 the one user's, so that no later outage brings them
  back. A 403 or 404 that is not the platform's own is no refusal, and evicts nothing.
- An action invalidates its user (`Platform.act` does that).
- There are at most `max_entries`, of all platforms together. When full, the oldest is evicted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Final

from adapters.contract import CredentialRefused, Forbidden, OwnCredentialRefused, PlatformError, UserNotFound, Viewer
from adapters.user_ids import UserKey
from gateway.platforms.lookup.encoded import CachedConnection
from gateway.platforms.lookup.origin import Origin

SWEEP_SIZE: Final = 2
"""Entries that are looked at, the oldest first, whenever one is added: so more can expire than are added."""


Entries = OrderedDict[tuple["PlatformCache", bytes, UserKey], CachedConnection]


class ResponseCache:
    """Holds at most `max_entries` of all platforms together."""

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._entries: Entries = OrderedDict()
        """the oldest first (a plain dict would have to skip all that were evicted to find it)"""

    def __len__(self) -> int:
        return len(self._entries)

    def platform(self, fresh_for: float, stale_for: float) -> PlatformCache:
        """Make the part of one platform, for as long as its credential stays the same. Times in seconds."""
        return PlatformCache(self, self._entries, fresh_for, stale_for)

    def sweep(self, now: float) -> None:
        """Evict the oldest entries that have expired, and one more where there is no room for another."""
        for _ in range(SWEEP_SIZE):
            if not self._entries:
                return
            oldest = next(iter(self._entries))
            cache, viewer, user_id = oldest
            if len(self._entries) < self._max_entries and self._entries[oldest].at + cache.max_age > now:
                return
            cache.evict(viewer, user_id)


class PlatformCache:
    """The entries of one platform, by viewer. `ResponseCache.platform` makes it; `close` empties it for good."""

    def __init__(self, cache: ResponseCache, entries: Entries, fresh_for: float, stale_for: float) -> None:
        self._cache = cache
        self._entries = entries
        self._fresh_for = fresh_for
        self._users: dict[bytes, set[UserKey]] = {}
        """by viewer, the users of whom there is an entry"""
        self.max_age = max(fresh_for, stale_for) if fresh_for else 0.0
        """seconds after which an entry is of no more use"""
        self._stale_for = stale_for

    def get_fresh(
        self, viewer: Viewer, user_id: UserKey, since: float, now: float
    ) -> tuple[CachedConnection | None, Origin]:
        """Return the entry if it is fresh and not from before `since` (`loop.time()`), and what the cache had."""
        cached = self._entries.get((self, viewer.key, user_id))
        if cached is None:
            return None, Origin.MISS
        if now - cached.at >= self._fresh_for:
            return None, Origin.EXPIRED
        if cached.at < since:
            return None, Origin.REQUESTED
        return cached, Origin.HIT

    def get_stale(self, viewer: Viewer, user_id: UserKey, now: float) -> CachedConnection | None:
        """Return the entry if it may be served while the platform can't be asked."""
        cached = self._entries.get((self, viewer.key, user_id))
        return None if cached is None or now - cached.at >= self._stale_for else cached

    def on_refusal(self, viewer: Viewer, user_id: UserKey | None, refused: PlatformError) -> None:
        """Evict what a refusal makes unfit to be served. Any other failure evicts nothing."""
        match refused:
            case CredentialRefused() | OwnCredentialRefused():
                self._evict_viewer(viewer.key)
            case Forbidden() | UserNotFound() if user_id is not None:
                self.evict(viewer.key, user_id)

    def put(self, viewer: bytes, user_id: UserKey, cached: CachedConnection) -> None:
        """Keep an entry in place of the one before; `viewer` is the viewer's key."""
        if not self.max_age:
            return
        key = self, viewer, user_id
        is_new = self._entries.pop(key, None) is None
        self._cache.sweep(cached.at)
        self._entries[key] = cached
        if is_new:
            self._users.setdefault(viewer, set()).add(user_id)

    def evict(self, viewer: bytes, user_id: UserKey) -> None:
        """Remove the entry if there is one; `viewer` is the viewer's key."""
        if self._entries.pop((self, viewer, user_id), None) is not None:
            users = self._users[viewer]
            users.remove(user_id)
            if not users:
                del self._users[viewer]

    def clear(self) -> None:
        """Evict everything."""
        for viewer in list(self._users):
            self._evict_viewer(viewer)

    def evict_users(self, user_ids: Collection[UserKey]) -> None:
        """Remove every viewer's entries of these users. It looks at each viewer once."""
        for viewer, users in tuple(self._users.items()):
            for user_id in users.intersection(user_ids):
                self.evict(viewer, user_id)

    def close(self) -> None:
        """Evict everything, and keep nothing from now on: the credential has been replaced."""
        self.max_age = 0.0
        self.clear()

    def _evict_viewer(self, viewer: bytes) -> None:
        for user_id in self._users.pop(viewer, ()):
            del self._entries[self, viewer, user_id]
