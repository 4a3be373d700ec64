"""A SelfCommunity community, as its public API reference (v2) describes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar, Final

import httpx

from adapters.contract import (
    Action,
    Connection,
    CredentialRefused,
    Identity,
    OwnCredentialRefused,
    PlatformError,
    Status,
    UserNotFound,
    Viewer,
    ViewerSource,
)
from adapters.selfcommunity import tables, wire
from adapters.selfcommunity.credentials import TOKEN_HEADER, TOKEN_SCHEME, authorize
from adapters.selfcommunity.settings import Caller, Settings, Token
from adapters.sessions import Calls, GivenTokens
from adapters.upstream import Upstream

HEADERS: Final = {"Accept": "application/json"}
FORBIDDEN: Final = (
    "the community answered 403: in follow mode it has no connections at all, which is its operator's setting"
)


class SelfCommunityAdapter:
    """Reads connections from one community. Every path ends with a slash, or the community redirects."""

    ACTIONS: ClassVar[Mapping[Status, tuple[Action, ...]]] = tables.ACTIONS
    TOKEN_HEADER: ClassVar[str] = TOKEN_HEADER
    TOKEN_SCHEME: ClassVar[str | None] = TOKEN_SCHEME
    batch_size = 1

    def __init__(self, settings: Settings, upstream: Upstream) -> None:
        self.platform = upstream.platform
        self.mode = settings.mode
        self._upstream = upstream
        self._api = f"{settings.base_url}/api/v2"
        self._calls: Calls
        match settings.credentials:
            case Caller():
                self.viewer_source = ViewerSource.CALLER
                self._calls = GivenTokens(upstream, authorize, Viewer.brought_token, CredentialRefused)
            case Token(token=token):
                self.viewer_source = ViewerSource.OWN
                self._calls = GivenTokens(upstream, authorize, lambda _viewer: token, OwnCredentialRefused)

    async def read(self, viewer: Viewer, user_ids: Collection[int]) -> Mapping[int, Connection | PlatformError]:
        (user_id,) = user_ids
        response = await self._calls.call(viewer, self._get(f"/user/{user_id}/connection_status/"))
        match response.status_code:
            case 200:
                found = self._upstream.decode(response, wire.CONNECTION_STATUS)
                return {user_id: self._connection(user_id, found.connection_status)}
            case 404:
                self._upstream.decode(response, wire.ERROR)
                return {user_id: UserNotFound(self.platform, "the community has no such user")}
            case _:
                raise self._upstream.failure(response, FORBIDDEN)

    async def identify(self) -> Identity | None:
        request = self._get("/user/me/")
        if self.viewer_source is ViewerSource.CALLER:
            await self._upstream.expect_refusal(request, wire.ERROR)
            return None
        response = await self._calls.call(Viewer.own(self.platform), request)
        user = self._upstream.expect(response, wire.USER, FORBIDDEN)
        return Identity(user.id, user.username)

    async def aclose(self) -> None:
        await self._calls.aclose()

    def _get(self, path: str) -> httpx.Request:
        return httpx.Request("GET", self._api + path, headers=HEADERS, extensions={"safe": True})

    def _connection(self, user_id: int, native: wire.NativeStatus | None) -> Connection:
        status = tables.STATUS[native]
        return Connection(
            platform=self.platform,
            user_id=str(user_id),
            status=status,
            native_status=native,
            actions=tables.ACTIONS[status],
            first_requested_at=None,
            updated_at=None,
            request_count=None,
            as_of=self._upstream.as_of(),
        )
