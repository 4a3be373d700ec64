"""What platforms said lately, kept by who asked as whom about whom.

The rules:
- Kept is what a platform said of one user to one viewer, `none` like any status; no failure and no refusal.
- It is fresh for `fresh_for` seconds. Then it is kept until it is `stale_for` seconds old, for when the platform
  can't be asked.
- A refusal ends that: 401 drops everything of the viewer, 403 and 404 the one user, so that no later outage brings it
  back. A 403 or 404 that is not the platform's own is no refusal, and drops nothing.
- An action drops its user (whoever acts says so).
- There are at most `most` entries, of all platforms together. Where there is no room, the oldest goes.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from adapters.contract import CredentialRefused, Forbidden, OwnCredentialRefused, PlatformError, UserNotFound, Viewer
from gateway.platforms.lookup.encoded import Known

SWEPT: Final = 2
"""Entries that are looked at, the oldest first, whenever one is added: more may go than come."""


Entries = OrderedDict[tuple["Shelf", bytes, int], Known]


class Cache:
    """Room for `most` entries, shared by the shelves of all platforms."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: Entries = OrderedDict()
        """the oldest first (a plain dict would look for it behind all that have gone)"""

    def __len__(self) -> int:
        return len(self._entries)

    def shelf(self, fresh_for: float, stale_for: float) -> Shelf:
        """A platform's part, for as long as its credential is the same; seconds."""
        return Shelf(self, self._entries, fresh_for, stale_for)

    def make_room(self, now: float) -> None:
        """For one more."""
        for _ in range(SWEPT):
            if not self._entries:
                return
            oldest = next(iter(self._entries))
            shelf, viewer, user_id = oldest
            if len(self._entries) < self._most and self._entries[oldest].at + shelf.kept_for > now:
                return
            shelf.take(viewer, user_id)


class Shelf:
    """What one platform said, to its viewers apart. `Cache.shelf` makes it; `close` empties it for good."""

    def __init__(self, cache: Cache, entries: Entries, fresh_for: float, stale_for: float) -> None:
        self._cache = cache
        self._entries = entries
        self._fresh_for = fresh_for
        self._users: dict[bytes, set[int]] = {}
        """by viewer, of whom there is an entry"""
        self.kept_for = max(fresh_for, stale_for) if fresh_for else 0.0
        self._stale_for = stale_for

    def get(self, viewer: Viewer, user_id: int) -> Known | None:
        """What was kept last, however old."""
        return self._entries.get((self, viewer.key, user_id))

    def fresh(self, viewer: Viewer, user_id: int, since: float, now: float) -> Known | None:
        """What may be told without asking, if it is of `since` or later."""
        known = self._entries.get((self, viewer.key, user_id))
        if known is None or known.at < since or now - known.at >= self._fresh_for:
            return None
        return known

    def is_fresh(self, known: Known, now: float) -> bool:
        return now - known.at < self._fresh_for

    def is_kept(self, known: Known, now: float) -> bool:
        """Whether it may be told if the platform can't be asked."""
        return now - known.at < self._stale_for

    def hear(self, viewer: Viewer, user_id: int | None, refused: PlatformError) -> None:
        """A refusal ends what was kept, of this user or of all; any other failure says nothing of it."""
        match refused:
            case CredentialRefused() | OwnCredentialRefused():
                self._forget(viewer.key)
            case Forbidden() | UserNotFound() if user_id is not None:
                self.take(viewer.key, user_id)

    def put(self, viewer: bytes, user_id: int, known: Known) -> None:
        """Keep what was said of this user last; `viewer` is the viewer's key."""
        if not self.kept_for:
            return
        self.take(viewer, user_id)
        self._cache.make_room(known.at)
        self._entries[self, viewer, user_id] = known
        self._users.setdefault(viewer, set()).add(user_id)

    def take(self, viewer: bytes, user_id: int) -> None:
        """Keep nothing of this user any more; `viewer` is the viewer's key."""
        if self._entries.pop((self, viewer, user_id), None) is not None:
            users = self._users[viewer]
            users.remove(user_id)
            if not users:
                del self._users[viewer]

    def close(self) -> None:
        """Its credential is another now: what was said under the old one is nobody's, nor what is still to come."""
        self.kept_for = 0.0
        for viewer in list(self._users):
            self._forget(viewer)

    def _forget(self, viewer: bytes) -> None:
        for user_id in self._users.pop(viewer, ()):
            del self._entries[self, viewer, user_id]
