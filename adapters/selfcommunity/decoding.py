"""What a community's answers say, in the common schema."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import httpx
import msgspec

from adapters.contract import Connection, InvalidAnswer, PlatformError, Status, UserNotFound
from adapters.selfcommunity import tables, wire
from adapters.slices import in_turns
from adapters.times import rfc3339_of
from adapters.upstream import Upstream

ENTRIES_AT_ONCE: Final = 500
"""More than a page of ours has: only a community that gives more than it was asked for is read in turns."""
MOST_INVALID: Final = 1000
"""Entries of one page that make no sense, and the page is still read."""


class Decoder:
    """Reads the bodies of one community's answers; what breaks the contract is InvalidAnswer."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def about(self, user_id: int, response: httpx.Response) -> Connection:
        """The answer to a question about one user, which never says about whom it is."""
        found = self._upstream.decode(response, wire.CONNECTION_STATUS)
        return self.connection(user_id, found.connection_status, self._upstream.as_of())

    def statuses(
        self, response: httpx.Response, user_ids: Collection[int]
    ) -> Mapping[str, wire.NativeStatus | InvalidAnswer | None]:
        """By user id, as text; a word that makes no sense is wrong for its user alone.

        Where there is one, only these users' words are read one by one.
        """
        statuses = self._upstream.decode_part(response.content, wire.CONNECTION_STATUSES)
        if not isinstance(statuses, InvalidAnswer):
            return statuses.connection_statuses
        words = self._upstream.decode(response, wire.RAW_STATUSES).connection_statuses
        found: dict[str, wire.NativeStatus | InvalidAnswer | None] = {}
        for user_id in map(str, user_ids):
            if user_id in words:
                word = self._upstream.decode_part(words[user_id], wire.NATIVE_STATUS)
                found[user_id] = word
        return found

    def found(
        self, user_id: int, statuses: Mapping[str, wire.NativeStatus | InvalidAnswer | None], as_of: str
    ) -> Connection | PlatformError:
        """Whom the community leaves out does not exist, or is hidden from this viewer."""
        native = statuses.get(str(user_id), msgspec.UNSET)
        if native is msgspec.UNSET:
            return self.no_such_user()
        return native if isinstance(native, InvalidAnswer) else self.connection(user_id, native, as_of)

    async def listed(
        self, page: wire.Page, listing: tables.List
    ) -> list[tuple[int | None, Connection | InvalidAnswer]]:
        """Each entry by its user. One that makes no sense is wrong alone; None where it names no user."""
        as_of = self._upstream.as_of()
        listed: list[tuple[int | None, Connection | InvalidAnswer]] = []
        invalid = 0
        async for some in in_turns(page.results, ENTRIES_AT_ONCE):
            entries = [self._entry(raw, listing, as_of) for raw in some]
            invalid += sum(isinstance(found, InvalidAnswer) for _, found in entries)
            if invalid > MOST_INVALID:
                raise self._upstream.invalid(f"more than {MOST_INVALID} entries of the page make no sense")
            listed += entries
        return listed

    def _entry(
        self, raw: msgspec.Raw, listing: tables.List, as_of: str
    ) -> tuple[int | None, Connection | InvalidAnswer]:
        entry = self._upstream.decode_part(raw, listing.entry)
        if isinstance(entry, InvalidAnswer):
            whose = self._upstream.decode_part(raw, listing.whose)
            return (None, whose) if isinstance(whose, InvalidAnswer) else (whose.user.id, entry)
        try:
            created, declined = rfc3339_of(entry.created), rfc3339_of(entry.rejected)
        except ValueError:
            return entry.user.id, self._upstream.invalid("the answer breaks the contract: expected an ISO 8601 time")
        if entry.rejected is None:
            return entry.user.id, self.connection(entry.user.id, listing.native, as_of, created=created)
        return entry.user.id, self.connection(
            entry.user.id, None, as_of, status=Status.REJECTED, created=created, declined=declined
        )

    def connection(
        self,
        user_id: int,
        native: wire.NativeStatus | None,
        as_of: str,
        *,
        status: Status | None = None,
        created: str | None = None,
        declined: str | None = None,
    ) -> Connection:
        status = status or tables.STATUS[native]
        return Connection(
            platform=self._upstream.platform,
            user_id=str(user_id),
            status=status,
            native_status=native,
            actions=tables.ACTIONS[status],
            first_requested_at=created,
            updated_at=declined,
            request_count=None,
            as_of=as_of,
        )

    def no_such_user(self) -> UserNotFound:
        return UserNotFound(self._upstream.platform, "the community has no such user")

    def is_own_error(self, response: httpx.Response) -> bool:
        error = self._upstream.decode_part(response.content, wire.ERROR)
        return not isinstance(error, InvalidAnswer)
