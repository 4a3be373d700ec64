"""What a pod's answers say, in the common schema."""

from __future__ import annotations

from collections.abc import Iterable

import httpx

from adapters.contract import Connection, InvalidAnswer, Status
from adapters.symphony import tables, wire
from adapters.times import optional_rfc3339
from adapters.upstream import Upstream

Listed = dict[int | None, wire.UserConnection | InvalidAnswer]
"""What a list says of each user in it; under None, what is wrong with an entry that names no user."""


class Answers:
    """Reads the bodies of one pod's answers; what breaks the contract is InvalidAnswer."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def about(self, user_id: int, response: httpx.Response) -> Connection:
        """The one connection of an answer, which must be this user's."""
        found = self._upstream.decode(response, wire.CONNECTION)
        if found.user_id != user_id:
            raise self._upstream.invalid("the answer is about another user")
        return self.connection(user_id, found, self._upstream.as_of())

    def listed(self, response: httpx.Response) -> Listed:
        """An entry that makes no sense, or contradicts another, is wrong for its user alone."""
        entries = self._upstream.decode_part(response.content, wire.CONNECTIONS)
        if isinstance(entries, InvalidAnswer):
            return self._by_user(self._one_by_one(response))
        return self._by_user((entry.user_id, entry) for entry in entries)

    def found(self, user_id: int, listed: Listed, as_of: str) -> Connection | InvalidAnswer:
        """What the list says of this user. Whom it leaves out has no connection, unless an entry names no user: it
        may be about anybody who is not in the list otherwise.
        """
        entry = listed.get(user_id, listed.get(None))
        return entry if isinstance(entry, InvalidAnswer) else self.connection(user_id, entry, as_of)

    def connection(self, user_id: int, found: wire.UserConnection | None, as_of: str) -> Connection:
        status = Status.NONE if found is None else tables.STATUS[found.status]
        return Connection(
            platform=self._upstream.platform,
            user_id=str(user_id),
            status=status,
            native_status=None if found is None else found.status,
            actions=tables.ACTIONS[status],
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

    def _one_by_one(
        self, response: httpx.Response
    ) -> Iterable[tuple[int | None, wire.UserConnection | InvalidAnswer]]:
        for raw in self._upstream.decode(response, wire.ENTRIES):
            whose = self._upstream.decode_part(raw, wire.WHOSE)
            if isinstance(whose, InvalidAnswer):
                yield None, whose
            else:
                entry = self._upstream.decode_part(raw, wire.CONNECTION)
                yield whose.user_id, entry

    def _by_user(self, entries: Iterable[tuple[int | None, wire.UserConnection | InvalidAnswer]]) -> Listed:
        listed: Listed = {}
        for user_id, entry in entries:
            if listed.setdefault(user_id, entry) != entry and user_id is not None:
                listed[user_id] = self._upstream.invalid("two entries about this user contradict each other")
        return listed
