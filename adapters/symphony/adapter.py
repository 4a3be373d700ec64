"""A Symphony pod, as its Pod API 20.17.1 and Login API 20.14.1 describe it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar, Final

import httpx

from adapters.contract import (
    Action,
    Connection,
    CredentialRefused,
    Identity,
    PlatformError,
    Status,
    Viewer,
    ViewerSource,
)
from adapters.sessions import Calls, GivenTokens, Sessions
from adapters.symphony import tables, wire
from adapters.symphony.credentials import TOKEN_HEADER, BotLogin, authorize
from adapters.symphony.settings import Bot, Caller, Settings
from adapters.times import optional_rfc3339
from adapters.upstream import Upstream

HEADERS: Final = {"Accept": "application/json"}
FORBIDDEN: Final = "the pod answered 403: no entitlement, or crossPod is not enabled between the two users' pods"


class SymphonyAdapter:
    """Reads connections from one pod."""

    ACTIONS: ClassVar[Mapping[Status, tuple[Action, ...]]] = tables.ACTIONS
    TOKEN_HEADER: ClassVar[str] = TOKEN_HEADER
    TOKEN_SCHEME: ClassVar[str | None] = None
    batch_size = 1

    def __init__(self, settings: Settings, upstream: Upstream) -> None:
        self.platform = upstream.platform
        self.mode = settings.mode
        self._upstream = upstream
        self._pod = f"{settings.base_url}/pod"
        self._calls: Calls
        match settings.credentials:
            case Caller():
                self.viewer_source = ViewerSource.CALLER
                self._calls = GivenTokens(upstream, authorize, Viewer.brought_token, CredentialRefused)
            case Bot() as bot:
                self.viewer_source = ViewerSource.OWN
                login = BotLogin(bot, upstream, f"{settings.base_url}/login")
                self._calls = Sessions(upstream, authorize, login.log_in)

    async def read(self, viewer: Viewer, user_ids: Collection[int]) -> Mapping[int, Connection | PlatformError]:
        (user_id,) = user_ids
        response = await self._calls.call(viewer, self._get(f"/v1/connection/user/{user_id}/info"))
        match response.status_code:
            case 200:
                found = self._upstream.decode(response, wire.CONNECTION)
                if found.user_id != user_id:
                    raise self._upstream.invalid("the answer is about another user")
                return {user_id: self._connection(user_id, found)}
            case 404:
                # Either there was never a request, or there is no such user: the pod does not say which.
                self._check_own_error(response)
                return {user_id: self._connection(user_id, None)}
            case _:
                raise self._upstream.failure(response, FORBIDDEN)

    async def identify(self) -> Identity | None:
        request = self._get("/v2/sessioninfo")
        if self.viewer_source is ViewerSource.CALLER:
            await self._upstream.expect_refusal(request, wire.ERROR)
            return None
        response = await self._calls.call(Viewer.own(self.platform), request)
        info = self._upstream.expect(response, wire.SESSION_INFO, FORBIDDEN)
        return Identity(info.id, info.username)

    def _check_own_error(self, response: httpx.Response) -> None:
        """Any field of a pod's error may be missing, but an object of foreign fields alone is somebody else's."""
        error = self._upstream.decode(response, wire.ERROR)
        if error == wire.Error() and response.content.strip() != b"{}":
            raise self._upstream.invalid("the 404 is not a pod's own: is base_url right?")

    async def aclose(self) -> None:
        await self._calls.aclose()

    def _get(self, path: str) -> httpx.Request:
        return httpx.Request("GET", self._pod + path, headers=HEADERS, extensions={"safe": True})

    def _connection(self, user_id: int, found: wire.UserConnection | None) -> Connection:
        status = Status.NONE if found is None else tables.STATUS[found.status]
        return Connection(
            platform=self.platform,
            user_id=str(user_id),
            status=status,
            native_status=None if found is None else found.status,
            actions=tables.ACTIONS[status],
            first_requested_at=None if found is None else optional_rfc3339(found.first_requested_at),
            updated_at=None if found is None else optional_rfc3339(found.updated_at),
            request_count=None if found is None else found.request_counter,
            as_of=self._upstream.as_of(),
        )
