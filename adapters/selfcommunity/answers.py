"""What a community's answers say, in the common schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from adapters.contract import ActionRefused, Connection, InvalidAnswer, PlatformError, Status, UserNotFound
from adapters.selfcommunity import tables, wire
from adapters.times import rfc3339_of
from adapters.upstream import Upstream


class Answers:
    """Reads the bodies of one community's answers; what breaks the contract is InvalidAnswer."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def about(self, user_id: int, response: httpx.Response) -> Connection:
        """The answer to a question about one user, which never says about whom it is."""
        found = self._upstream.decode(response, wire.CONNECTION_STATUS)
        return self.connection(user_id, found.connection_status, self._upstream.as_of())

    def statuses(self, response: httpx.Response) -> Mapping[str, wire.NativeStatus | InvalidAnswer | None]:
        """By user id, as text; a word that makes no sense is wrong for its user alone."""
        statuses = self._upstream.decode_part(response.content, wire.CONNECTION_STATUSES)
        if not isinstance(statuses, InvalidAnswer):
            return statuses.connection_statuses
        found: dict[str, wire.NativeStatus | InvalidAnswer | None] = {}
        for user_id, raw in self._upstream.decode(response, wire.RAW_STATUSES).connection_statuses.items():
            word = self._upstream.decode_part(raw, wire.NATIVE_STATUS)
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

    def listed(self, page: wire.Page[Any], native: wire.NativeStatus) -> list[Connection]:
        """A list's entries. They are what `native` says, but for a declined request: it has no word."""
        as_of = self._upstream.as_of()
        try:
            return [
                self.connection(
                    each.user.id,
                    native if each.rejected is None else None,
                    as_of,
                    status=Status.REJECTED if each.rejected is not None else tables.STATUS[native],
                    created=rfc3339_of(each.created),
                    declined=rfc3339_of(each.rejected),
                )
                for each in page.results
            ]
        except ValueError as error:
            raise self._upstream.invalid("the answer breaks the contract: a time out of range") from error

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

    def refused(self, response: httpx.Response) -> ActionRefused:
        self._upstream.decode(response, wire.ERROR)
        return ActionRefused(self._upstream.platform, f"the community refused the action ({response.status_code})")
