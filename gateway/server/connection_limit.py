"""Limits open connections, and the share of them that unauthenticated callers may take."""

from __future__ import annotations

from typing import Final, Protocol

STRANGERS_SHARE: Final = 8
"""Connections on which no caller has shown that it may ask get one place of so many."""
MIN_STRANGERS: Final = 8
ATTEMPTS: Final = 64
"""Connections that are looked at for one that is idle."""


class Connection(Protocol):
    """What the limit needs of a connection."""

    @property
    def is_idle(self) -> bool:
        """Whether it could be closed without losing a request."""
        ...

    def evict(self) -> None:
        """Close it at once."""
        ...


class ConnectionLimit:
    """At most `limit` connections, of which only a share may be strangers'.

    A connection is a stranger's until a request on it has been let in to the API. When there are too many of those,
    the oldest is closed, so that whoever comes has time to show its key however many others come and say nothing.
    When all places are taken, an idle one is closed, the longest known first; if none is idle, the oldest stranger's.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._max_strangers = max(limit // STRANGERS_SHARE, min(MIN_STRANGERS, limit))
        self._strangers: dict[Connection, None] = {}
        self._callers: dict[Connection, None] = {}
        self.evicted = self.timed_out = 0
        """connections closed for the sake of others, and because their callers sent or read nothing for too long"""

    def __len__(self) -> int:
        return len(self._strangers) + len(self._callers)

    def add(self, connection: Connection) -> None:
        """One more, a stranger's. Another may be evicted for it, or itself."""
        self._strangers[connection] = None
        if len(self._strangers) > self._max_strangers:
            self._evict(next(iter(self._strangers)))
        if len(self._strangers) + len(self._callers) > self._limit:
            self._evict(self._idle_caller() or next(iter(self._strangers)))

    def trust(self, connection: Connection) -> None:
        """A request on it was let in to the API."""
        if connection in self._strangers:
            del self._strangers[connection]
            self._callers[connection] = None

    def remove(self, connection: Connection) -> None:
        """It is closed."""
        self._strangers.pop(connection, None)
        self._callers.pop(connection, None)

    def _evict(self, connection: Connection) -> None:
        self.remove(connection)
        self.evicted += 1
        connection.evict()

    def _idle_caller(self) -> Connection | None:
        for _ in range(min(ATTEMPTS, len(self._callers))):
            oldest = next(iter(self._callers))
            if oldest.is_idle:
                return oldest
            del self._callers[oldest]  # it is looked at again after all others
            self._callers[oldest] = None
        return None
