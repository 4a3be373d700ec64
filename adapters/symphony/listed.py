"""A pod's list, by user."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from adapters.contract import InvalidAnswer
from adapters.symphony import wire
from adapters.upstream import Upstream

Entry = wire.UserConnection | InvalidAnswer
MOST_INVALID: Final = 1000
"""Entries of one list that make no sense, and the list is still read."""


class Listed:
    """What a list says of each user in it. An entry that contradicts another is wrong for its user alone.

    It is kept in parts: a dictionary of half a million users would take 20 ms to grow, and again to be freed.
    """

    def __init__(self, upstream: Upstream, parts: int = 1) -> None:
        self.parts: list[dict[int, Entry]] = [{} for _ in range(parts)]
        self._upstream = upstream
        self._invalid = 0

    def add(self, entries: Iterable[tuple[int, Entry]]) -> None:
        """Raises InvalidAnswer where more than `MOST_INVALID` of all entries make no sense."""
        parts, count = self.parts, len(self.parts)
        for user_id, entry in entries:
            part = parts[user_id % count]
            if part.setdefault(user_id, entry) != entry:
                part[user_id] = self._upstream.invalid("two entries about this user contradict each other")
                self._count_invalid()
            elif isinstance(entry, InvalidAnswer):
                self._count_invalid()

    def get(self, user_id: int) -> Entry | None:
        return self.parts[user_id % len(self.parts)].get(user_id)

    def _count_invalid(self) -> None:
        self._invalid += 1
        if self._invalid > MOST_INVALID:
            raise self._upstream.invalid(f"more than {MOST_INVALID} entries of the list make no sense")
