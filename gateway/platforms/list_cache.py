"""Pages of pending requests, kept for when their platform can't be asked.

The rules:
- Lists are always read live. A kept page is only returned, marked as stale, where the platform could not be asked.
- Only pages that were read whole are kept, and only of pending requests: an inbox, not thousands of connections.
- A page is kept by viewer, statuses, position and limit, until it is `stale_for` seconds old.
- A refused credential evicts all pages of the viewer; a user who is refused (403, 404) those with that user.
- An action evicts all pages of its viewer, and what a read returns that began before the action ended is not kept.
- All pages together hold at most `max_connections`. Where there is no room, the page kept longest ago is evicted.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Iterator

import msgspec

from adapters.contract import (
    Connection,
    CredentialRefused,
    Forbidden,
    OwnCredentialRefused,
    PlatformError,
    Position,
    Status,
    UserNotFound,
    Viewer,
)
from adapters.secret import RedactedRepr
from adapters.user_ids import UserKey
from gateway.platforms.filters import PENDING
from gateway.platforms.platform_page import PlatformPage


class PageKey(RedactedRepr, msgspec.Struct, frozen=True):
    """Which page of a viewer's list."""

    statuses: frozenset[Status]
    position: Position | None
    limit: int

    @property
    def is_cacheable(self) -> bool:
        return self.statuses <= PENDING


class CachedPage(RedactedRepr, msgspec.Struct, frozen=True):
    """A page, and the `loop.time()` at which it was read."""

    page: PlatformPage
    at: float
    users: frozenset[UserKey | None]

    def stale(self, error: PlatformError) -> PlatformPage:
        """The page with each connection marked as stale, and the error that kept it from being read anew."""
        entries = [
            msgspec.structs.replace(entry, found=msgspec.structs.replace(entry.found, stale=True))
            if isinstance(entry.found, Connection)
            else entry
            for entry in self.page.entries
        ]
        return PlatformPage(entries, self.page.next, error, self.at, self.page.remaining)


class ListRead:
    """A read under way; `is_outdated` once an action has changed what it is about to return."""

    __slots__ = ("is_outdated",)

    def __init__(self) -> None:
        self.is_outdated = False


class ListCache:
    """Room for `max_connections` in pages, shared by all platforms."""

    def __init__(self, max_connections: int) -> None:
        self._max = max_connections
        self._pages: OrderedDict[tuple[PlatformListCache, bytes, PageKey], CachedPage] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        """The connections in all pages; an empty page counts as one."""
        return self._size

    def platform(self, fresh_for: float, stale_for: float) -> PlatformListCache:
        """A platform's part, for as long as its credential is the same; in seconds, as for lookups."""
        return PlatformListCache(self, stale_for if fresh_for else 0.0)

    def get(self, key: tuple[PlatformListCache, bytes, PageKey]) -> CachedPage | None:
        return self._pages.get(key)

    def put(self, key: tuple[PlatformListCache, bytes, PageKey], page: CachedPage) -> None:
        if _size(page) > self._max:
            return
        while self._size + _size(page) > self._max:
            cache, viewer, oldest = next(iter(self._pages))
            cache.evict(viewer, oldest)
        self._pages[key] = page
        self._size += _size(page)

    def pop(self, key: tuple[PlatformListCache, bytes, PageKey]) -> None:
        self._size -= _size(self._pages.pop(key))


class PlatformListCache:
    """The pages of one platform. `ListCache.platform` makes it; `close` empties it for good."""

    def __init__(self, cache: ListCache, stale_for: float) -> None:
        self._cache = cache
        self._stale_for = stale_for
        self._keys: dict[bytes, set[PageKey]] = {}
        self._reads: dict[bytes, set[ListRead]] = {}

    @contextlib.contextmanager
    def reading(self, viewer: Viewer) -> Iterator[ListRead]:
        """Register a read, so that an action which ends meanwhile marks it as outdated."""
        read = ListRead()
        self._reads.setdefault(viewer.key, set()).add(read)
        try:
            yield read
        finally:
            reads = self._reads[viewer.key]
            reads.remove(read)
            if not reads:
                del self._reads[viewer.key]

    def get(self, viewer: Viewer, key: PageKey, now: float) -> CachedPage | None:
        """The page, unless it is too old."""
        found = self._cache.get((self, viewer.key, key))
        return found if found is not None and now - found.at < self._stale_for else None

    def put(self, viewer: Viewer, key: PageKey, read: ListRead, page: PlatformPage, at: float) -> None:
        """Keep a page, unless it is outdated or of a kind that is not kept."""
        if not self._stale_for or read.is_outdated or not key.is_cacheable:
            return
        self.evict(viewer.key, key)
        users = frozenset(entry.user_id for entry in page.entries)
        self._cache.put((self, viewer.key, key), CachedPage(page, at, users))
        if self._cache.get((self, viewer.key, key)) is not None:
            self._keys.setdefault(viewer.key, set()).add(key)

    def invalidate(self, viewer: bytes) -> None:
        """Evict all pages of this viewer (its key), and keep nothing that is being read now."""
        for read in self._reads.get(viewer, ()):
            read.is_outdated = True
        for key in tuple(self._keys.get(viewer, ())):
            self.evict(viewer, key)

    def on_refusal(self, viewer: Viewer, user_id: UserKey | None, refused: PlatformError) -> None:
        """Evict what a refusal makes unfit to be returned. Any other failure evicts nothing."""
        match refused:
            case CredentialRefused() | OwnCredentialRefused():
                self.invalidate(viewer.key)
            case Forbidden() if user_id is None:
                self.invalidate(viewer.key)
            case Forbidden() | UserNotFound():
                for key in tuple(self._keys.get(viewer.key, ())):
                    found = self._cache.get((self, viewer.key, key))
                    if found is not None and user_id in found.users:
                        self.evict(viewer.key, key)

    def evict(self, viewer: bytes, key: PageKey) -> None:
        keys = self._keys.get(viewer, set())
        if key in keys:
            self._cache.pop((self, viewer, key))
            keys.remove(key)
            if not keys:
                del self._keys[viewer]

    def clear(self) -> None:
        """Evict all pages, and keep nothing that is being read now."""
        for viewer in {*self._keys, *self._reads}:
            self.invalidate(viewer)

    def close(self) -> None:
        """Keep nothing, now and later."""
        self._stale_for = 0.0
        self.clear()


def _size(page: CachedPage) -> int:
    return max(1, len(page.page.entries))
