"""A SelfCommunity community, as its public API reference (v2) describes it."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from typing import ClassVar, Final, TypeVar

import httpx
import msgspec

from adapters.contract import (
    Action,
    Before,
    Connection,
    CredentialRefused,
    Entry,
    Identity,
    InvalidAnswer,
    InvalidPosition,
    OwnCredentialRefused,
    Page,
    PlatformError,
    Position,
    Status,
    Viewer,
)
from adapters.error_responses import ErrorResponses
from adapters.selfcommunity import tables, wire
from adapters.selfcommunity.credentials import TOKEN_HEADER, TOKEN_SCHEME, JwtLogin, OAuthLogin, authorize
from adapters.selfcommunity.decoding import Decoder
from adapters.selfcommunity.settings import Jwt, OAuth2, Settings, Token
from adapters.sessions import Calls, GivenTokens, Sessions
from adapters.settings import Caller
from adapters.upstream import Base, Upstream
from adapters.user_ids import INT64, UserIds

T = TypeVar("T")
FORBIDDEN: Final = (
    "the community answered 403: in follow mode it has no connections at all, which is its operator's setting"
)
LONGEST_PAGE: Final = 100
"""Entries asked for at once, since a community describes each of their users at length; all of these where some of
them will be left out, or one pending request behind a thousand declined ones would take a thousand calls."""
FARTHEST: Final = 2**31 - 1
"""No list is longer."""


class SelfCommunityAdapter:
    """Reads, lists and changes connections in one community. Every path ends with a slash, or it redirects."""

    USER_IDS: ClassVar[UserIds] = INT64
    STATUSES: ClassVar[frozenset[Status]] = frozenset(Status)
    ACTIONS: ClassVar[Mapping[Status, tuple[Action, ...]]] = tables.ACTIONS
    TOKEN_HEADER: ClassVar[str] = TOKEN_HEADER
    TOKEN_SCHEMES: ClassVar[tuple[str, ...]] = (TOKEN_SCHEME,)
    batch_size = 500

    def __init__(self, settings: Settings, upstream: Upstream) -> None:
        self.platform = upstream.platform
        self.mode = settings.mode
        self.viewer_source = settings.credentials.viewer_source
        self._credentials = settings.credentials
        self._upstream = upstream
        self._decoder = Decoder(upstream)
        self._errors = ErrorResponses(upstream, self._decoder.is_own_error, FORBIDDEN)
        self._api = Base(f"{settings.base_url}/api/v2")
        self._calls: Calls
        match settings.credentials:
            case Caller():
                self._calls = GivenTokens(upstream, authorize, Viewer.brought_token, CredentialRefused)
            case Token(token=token):
                self._calls = GivenTokens(upstream, authorize, lambda _viewer: token, OwnCredentialRefused)
            case Jwt() as signing:
                self._calls = Sessions(upstream, authorize, JwtLogin(signing, upstream.now).log_in, are_shared=False)
            case OAuth2() as client:
                login = OAuthLogin(client, upstream, settings.login_url or f"{settings.base_url}/oauth")
                self._calls = Sessions(upstream, authorize, login.log_in)

    async def read(self, viewer: Viewer, user_ids: Collection[int]) -> Mapping[int, Connection | PlatformError]:
        if len(user_ids) == 1:
            (user_id,) = user_ids
            return {user_id: await self._read_one(viewer, user_id)}
        return await self._read_many(viewer, user_ids)

    async def list(self, viewer: Viewer, statuses: Collection[Status], position: Position | None, limit: int) -> Page:
        parts = [part for part, each in enumerate(tables.LISTS) if not each.statuses.isdisjoint(statuses)]
        part, offset = (parts[0], 0) if position is None else (position.part, position.after)
        if part not in parts or offset > FARTHEST:
            raise InvalidPosition
        listing = tables.LISTS[part]
        asked = min(limit, LONGEST_PAGE) if listing.statuses <= set(statuses) else LONGEST_PAGE
        page = await self._page(viewer, listing, offset, asked)
        listed = await self._decoder.listed(page, listing)
        wanted = (
            Entry(user_id, found, Position(part, offset + received))
            for received, (user_id, found) in enumerate(listed, 1)
            if isinstance(found, InvalidAnswer) or found.status in statuses
        )
        entries = tuple(itertools.islice(wanted, limit + 1))
        end = offset + len(page.results)
        if page.next is None:
            following = next((Position(other, 0) for other in parts if other > part), None)
        elif end > offset:
            following = Position(part, end)
        else:
            raise self._upstream.invalid("an empty page that is not the last")
        if len(entries) > limit:
            entries = entries[:limit]
            following, end = entries[-1].position, entries[-1].position.after
        return Page(entries, following, max(page.count - end, 0))

    async def read_before(self, viewer: Viewer, user_id: int) -> Before:
        found = await self._read_one(viewer, user_id)
        if isinstance(found, PlatformError):
            raise found
        return Before(found)

    async def act(self, viewer: Viewer, user_id: int, action: Action, _before: Before) -> Connection:
        path = f"/user/{user_id}/connection/{tables.ACTION_PATH[action]}/"
        request = self._api.acting("POST", path, user_id)
        response = await self._calls.call(viewer, request)
        match response.status_code:
            case 200:
                return self._decoder.about(user_id, response)
            case _:
                raise self._errors.failed_action(response)

    async def identify(self) -> Identity | None:
        match self._credentials:
            case Caller() | Jwt(user_id=None):
                await self._upstream.expect_refusal(self._api.get("/user/me/"), wire.ERROR)
                return None
            case OAuth2(is_good_once=True):
                await self._upstream.expect_refusal(self._api.get("/user/me/"), wire.ERROR)
                return None
            case _:
                user = await self._me(Viewer.own(self.platform), wire.USER)
                return Identity(user.username or str(user.id), user.id)

    async def aclose(self) -> None:
        await self._calls.aclose()

    async def _read_one(self, viewer: Viewer, user_id: int) -> Connection | PlatformError:
        request = self._api.get(f"/user/{user_id}/connection_status/", users=(user_id,))
        response = await self._calls.call(viewer, request)
        match response.status_code:
            case 200:
                return self._decoder.about(user_id, response)
            case 404:
                self._errors.check_own(response)
                return self._decoder.no_such_user()
            case _:
                raise self._errors.failure(response)

    async def _read_many(self, viewer: Viewer, user_ids: Collection[int]) -> Mapping[int, Connection | PlatformError]:
        request = self._api.post("/user/connection/statuses/", {"users": list(user_ids)}, user_ids)
        response = await self._calls.call(viewer, request)
        if response.status_code != httpx.codes.OK:
            raise self._errors.failure(response)
        statuses = self._decoder.statuses(response, user_ids)
        as_of = self._upstream.as_of()
        return {user_id: self._decoder.found(user_id, statuses, as_of) for user_id in user_ids}

    async def _page(self, viewer: Viewer, listing: tables.List, offset: int, limit: int) -> wire.Page:
        path = listing.path
        if "{me}" in path:
            # Asked each time, unless the viewer is named: the token may be another user's by now, and this list can
            # be anybody's.
            me = (await self._me(viewer, wire.SOMEONE)).id if viewer.user_id is None else viewer.user_id
            path = path.format(me=me)
        response = await self._calls.call(viewer, self._api.get(f"{path}?limit={limit}&offset={offset}"))
        return self._errors.expect(response, wire.PAGE)

    async def _me(self, viewer: Viewer, decoder: msgspec.json.Decoder[T]) -> T:
        response = await self._calls.call(viewer, self._api.get("/user/me/"))
        return self._errors.expect(response, decoder)
