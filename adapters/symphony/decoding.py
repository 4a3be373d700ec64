"""What a pod's answers say, in the common schema."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

import httpx

from adapters.contract import Connection, InvalidAnswer, Status
from adapters.slices import EntryTooLong, slices
from adapters.symphony import tables, wire
from adapters.times import optional_rfc3339
from adapters.upstream import Upstream

Entry = wire.UserConnection | InvalidAnswer
MOST_INVALID: Final = 1000
"""Entries of one list that make no sense, and the list is still read."""
LONG: Final = 64 * 1024
"""Bytes of a list that is not decoded at once. A batch of lookups stays below that."""
PARTS: Final = 128
"""Of a long list."""


class Listed:
    """What a list says of each user in it. An entry that contradicts another is wrong for its user alone.

    `nameless` is what is wrong with an entry that names no user: it may be about anybody who is not in the list.

    It is kept in parts: a dictionary of half a million users would take 20 ms to grow, and again to be freed.
    """

    def __init__(self, upstream: Upstream, parts: int = 1) -> None:
        self.parts: list[dict[int, Entry]] = [{} for _ in range(parts)]
        self.nameless: InvalidAnswer | None = None
        self._upstream = upstream
        self._invalid = 0

    def add(self, entries: Iterable[tuple[int | None, Entry]]) -> None:
        """Raises InvalidAnswer where more than `MOST_INVALID` of all entries make no sense."""
        parts, count = self.parts, len(self.parts)
        for user_id, entry in entries:
            if user_id is None:
                self.nameless = entry if isinstance(entry, InvalidAnswer) else self.nameless
                self._count_invalid()
                continue
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


class Decoder:
    """Reads the bodies of one pod's answers; what breaks the contract is InvalidAnswer."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._long_list = asyncio.Lock()
        """held while a long list is decoded: two at once would hold up everybody else twice as long"""

    def about(self, user_id: int, response: httpx.Response) -> Connection:
        """The one connection of an answer, which must be this user's."""
        found = self._upstream.decode(response, wire.CONNECTION)
        if found.user_id != user_id:
            raise self._upstream.invalid("the answer is about another user", response)
        return self.connection(user_id, found, self._upstream.as_of())

    async def listed(self, response: httpx.Response) -> Listed:
        """An entry that makes no sense is wrong for its user alone.

        A long list is decoded in slices, and it is everybody else's turn between them.
        """
        if len(response.content) <= LONG:
            listed = Listed(self._upstream)
            listed.add(self._entries(response.content))
            return listed
        listed = Listed(self._upstream, PARTS)
        try:
            async with self._long_list:
                for part in slices(response.content):
                    listed.add(self._entries(part))
                    await asyncio.sleep(0)
        except EntryTooLong as error:
            raise self._upstream.invalid("an entry of the list is too long") from error
        except InvalidAnswer:
            while listed.parts:  # to free all of it at once takes 20 ms too
                listed.parts.pop()
                await asyncio.sleep(0)
            raise
        return listed

    def found(self, user_id: int, entry: Entry | None, as_of: str) -> Connection | InvalidAnswer:
        """What the list says of this user; whom it leaves out has no connection."""
        return entry if isinstance(entry, InvalidAnswer) else self.connection(user_id, entry, as_of)

    def connection(self, user_id: int, found: wire.UserConnection | None, as_of: str) -> Connection:
        status = Status.NONE if found is None else tables.STATUS[found.status]
        return Connection(
            platform=self._upstream.platform,
            user_id=str(user_id),
            status=status,
            native_status=None if found is None else found.status,
            actions=() if found is not None and _may_be_implicit(found) else tables.ACTIONS[status],
            first_requested_at=None if found is None else optional_rfc3339(found.first_requested_at),
            updated_at=None if found is None else optional_rfc3339(found.updated_at),
            request_count=None if found is None else found.request_counter,
            as_of=as_of,
        )

    def none(self, user_id: int) -> Connection:
        return self.connection(user_id, None, self._upstream.as_of())

    def is_own_error(self, response: httpx.Response) -> bool:
        """Any field of a pod's error may be missing, but an object of foreign fields alone is somebody else's."""
        error: wire.Error | InvalidAnswer = self._upstream.decode_part(response.content, wire.ERROR)
        if isinstance(error, InvalidAnswer):
            return False
        return error != wire.Error() or response.content.strip() == b"{}"

    def _entries(self, array: bytes) -> Iterable[tuple[int | None, Entry]]:
        entries = self._upstream.decode_part(array, wire.CONNECTIONS)
        if isinstance(entries, InvalidAnswer):
            return self._one_by_one(array)
        return ((entry.user_id, entry) for entry in entries)

    def _one_by_one(self, array: bytes) -> Iterable[tuple[int | None, Entry]]:
        entries = self._upstream.decode_part(array, wire.ENTRIES)
        if isinstance(entries, InvalidAnswer):
            raise entries
        for raw in entries:
            whose = self._upstream.decode_part(raw, wire.WHOSE)
            if isinstance(whose, InvalidAnswer):
                yield None, whose
            else:
                entry = self._upstream.decode_part(raw, wire.CONNECTION)
                yield whose.user_id, entry


def _may_be_implicit(found: wire.UserConnection) -> bool:
    """Whether it may be one that nobody asked for, which the pod does not remove: none of the three fields that tell
    of a request is there (`firstRequestedAt`, `updatedAt`, `requestCounter`).
    """
    told = (found.first_requested_at, found.updated_at, found.request_counter)
    return found.status is wire.NativeStatus.ACCEPTED and told == (None, None, None)
