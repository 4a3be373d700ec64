"""What a site's answers say, in the common schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

import httpx
import msgspec

from adapters.buddypress import tables, wire
from adapters.contract import Connection, Entry, InvalidAnswer, PlatformError, Position, Status, UserNotFound
from adapters.times import rfc3339_of
from adapters.upstream import Upstream

Found = wire.Member | InvalidAnswer
NOTICES: Final = re.compile(rb"(?:\s*<br />\s*<b>[A-Za-z ]{1,32}</b>:[^{}\[\]]{0,2000}?<br />\s*)+(?=[{\[])")
"""What PHP writes before the JSON where a site shows its notices and warnings."""
NO_TIME: Final = "the answer breaks the contract: expected an ISO 8601 time"


def without_notices(response: httpx.Response) -> httpx.Response:
    """The response without what PHP may have written before its JSON."""
    if response.content[:64].lstrip()[:1] != b"<":
        return response
    notices = NOTICES.match(response.content)
    if notices is None:
        return response
    content = response.content[notices.end() :]
    headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-length"]
    return httpx.Response(response.status_code, headers=headers, content=content, request=response.request)


class Decoder:
    """Reads the bodies of one site's answers; what breaks the contract is InvalidAnswer."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def about(self, user_id: int, response: httpx.Response) -> Connection:
        """The one friendship of an answer, which must be this user's."""
        found = self._upstream.decode(response, wire.FRIENDSHIP)
        if found.other(user_id) is None:
            raise self._upstream.invalid("the answer is about another user", response)
        try:
            return self.friendship(user_id, found, self._upstream.as_of())
        except ValueError:
            raise self._upstream.invalid(
                "the answer breaks the contract: expected an ISO 8601 time", response
            ) from None

    def ended(self, user_id: int, response: httpx.Response) -> Connection:
        """The answer to DELETE."""
        if self._upstream.decode(response, wire.DELETED).previous.other(user_id) is None:
            raise self._upstream.invalid("the answer is about another user", response)
        return self.none(user_id)

    def none(self, user_id: int) -> Connection:
        return self.connection(user_id, Status.NONE, self._upstream.as_of())

    def members(
        self, response: httpx.Response, user_ids: Collection[int]
    ) -> Mapping[int, Connection | PlatformError]:
        """Whom the site leaves out does not exist, is not active, or is hidden from this viewer.

        An entry that makes no sense is wrong for its user alone; one that names no user, for all who are left out.
        """
        entries = self._upstream.decode_part(response.content, wire.MEMBERS)
        nameless: InvalidAnswer | None = None
        found: dict[int, Found] = {}
        if isinstance(entries, InvalidAnswer):
            for raw in self._upstream.decode(response, wire.RAW_MEMBERS):
                whose = self._upstream.decode_part(raw, wire.SOMEONE)
                if isinstance(whose, InvalidAnswer):
                    nameless = whose
                else:
                    entry: Found = self._upstream.decode_part(raw, wire.MEMBER)
                    self._add(found, whose.id, entry)
        else:
            for member in entries:
                self._add(found, member.id, member)
        left_out = nameless or UserNotFound(self._upstream.platform, "the site has no such member")
        as_of = self._upstream.as_of()
        return {user_id: self._member(found.get(user_id), as_of) or left_out for user_id in user_ids}

    def _member(self, found: Found | None, as_of: str) -> Connection | InvalidAnswer | None:
        if not isinstance(found, wire.Member):
            return found
        return self.connection(found.id, tables.STATUS[found.friendship_status_slug], as_of, found)

    def entry(self, raw: msgspec.Raw, me: int, position: Position, as_of: str) -> Entry:
        """One friendship of a list of this user's."""
        pair = self._upstream.decode_part(raw, wire.PAIR)
        if isinstance(pair, InvalidAnswer):
            return Entry(None, pair, position)
        user_id = pair.other(me)
        if user_id is None:
            return Entry(None, self._upstream.invalid("a friendship of other users"), position)
        found = self._upstream.decode_part(raw, wire.FRIENDSHIP)
        if isinstance(found, InvalidAnswer):
            return Entry(user_id, found, position)
        try:
            return Entry(user_id, self.friendship(user_id, found, as_of), position)
        except ValueError:
            wrong = self._upstream.invalid(NO_TIME)
            return Entry(user_id, wrong, position)

    def friendship(self, user_id: int, found: wire.Friendship, as_of: str) -> Connection:
        """Raises ValueError for a time that is none."""
        if found.is_confirmed:
            status = Status.CONNECTED
        else:
            status = Status.PENDING_INCOMING if found.initiator_id == user_id else Status.PENDING_OUTGOING
        return self.connection(user_id, status, as_of, created=_utc(found.date_created_gmt))

    def connection(
        self, user_id: int, status: Status, as_of: str, member: wire.Member | None = None, created: str | None = None
    ) -> Connection:
        return Connection(
            platform=self._upstream.platform,
            user_id=str(user_id),
            status=status,
            native_status=None if member is None else member.friendship_status_slug,
            actions=tables.ACTIONS[status],
            first_requested_at=created,
            updated_at=None,
            request_count=None,
            as_of=as_of,
        )

    def code(self, response: httpx.Response) -> str | None:
        """The code of the site's own error; None where it is not the site's own."""
        error = self._upstream.decode_part(response.content, wire.ERROR)
        return None if isinstance(error, InvalidAnswer) else error.code

    def is_own_error(self, response: httpx.Response) -> bool:
        return self.code(response) is not None

    def _add(self, found: dict[int, Found], user_id: int, entry: wire.Member | InvalidAnswer) -> None:
        if found.setdefault(user_id, entry) != entry:
            found[user_id] = self._upstream.invalid("two entries about this user contradict each other")


def _utc(text: str | None) -> str | None:
    """A time of WordPress, which names no zone and means UTC. Raises ValueError."""
    if text is None:
        return None
    return rfc3339_of(text) or rfc3339_of(f"{text}Z")
