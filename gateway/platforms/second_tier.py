"""The second tier of the cache: entries that all replicas share, read before the platform is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from adapters.contract import Viewer
from adapters.user_ids import UserKey


class FoundEntries(Protocol):
    """What was found: JSON, and when the platform said so (`loop.time()`). A claim allows to write an entry later."""

    @property
    def entries(self) -> Mapping[UserKey, tuple[bytes, float]]: ...

    @property
    def claims(self) -> Mapping[UserKey, Any]: ...


class SecondTier(Protocol):
    """Of one platform. Nothing here raises a failure: what can't be read is not there."""

    @property
    def fresh_for(self) -> float:
        """Seconds for which an entry is fresh. Older ones are returned too, to be served as stale."""
        ...

    async def get(self, viewer: Viewer, user_ids: Sequence[UserKey]) -> FoundEntries:
        """The entries of these users. It does not take long."""
        ...

    def put(self, viewer: Viewer, said: Iterable[tuple[UserKey, Any, bytes, float]]) -> None:
        """Keep what the platform said: user, claim, JSON, and when it said so (`loop.time()`)."""
        ...

    def discard_reads(self) -> None:
        """Return nothing from the reads that are under way."""
        ...
