"""A BuddyPress site, as the REST API of BuddyPress 15 describes its friends component."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Final

import httpx
import msgspec

from adapters.buddypress import tables, wire
from adapters.buddypress.credentials import SCHEMES, TOKEN_HEADER, authorize, basic, bearer, brought
from adapters.buddypress.decoding import Decoder, without_notices
from adapters.buddypress.settings import Password, Settings, Token
from adapters.contract import (
    Action,
    Before,
    Connection,
    CredentialRefused,
    Entry,
    Identity,
    InvalidPosition,
    OwnCredentialRefused,
    Page,
    PlatformError,
    Position,
    Status,
    UserNotFound,
    Viewer,
)
from adapters.error_responses import ErrorResponses
from adapters.sessions import GivenTokens
from adapters.settings import Caller
from adapters.upstream import Base, Upstream
from adapters.user_ids import INT64, UserIds

API: Final = "/buddypress/v2"
FORBIDDEN: Final = "the site answered 403: its user may not do this, or a security plug-in forbids it"
PER_PAGE: Final = 100
"""Entries of a page, the most that WordPress gives. The end is a page that is not full: nothing counts them all."""
PAGES: Final = 4
"""Pages that are read for one of ours, while none of them has anybody: pending requests stand among all friends."""
LOOKS_ON: Final = 0.25
"""Seconds after which no other page is read for it."""
FARTHEST: Final = 2**31 - 1
"""No list is longer."""


class BuddyPressAdapter:
    """Reads, lists and changes friendships on one site. The viewer's own id is asked each time that it is needed."""

    USER_IDS: ClassVar[UserIds] = INT64
    STATUSES: ClassVar[frozenset[Status]] = frozenset(tables.STATUS.values())
    ACTIONS: ClassVar[Mapping[Status, tuple[Action, ...]]] = tables.ACTIONS
    TOKEN_HEADER: ClassVar[str] = TOKEN_HEADER
    TOKEN_SCHEMES: ClassVar[tuple[str, ...]] = SCHEMES
    batch_size = PER_PAGE

    def __init__(self, settings: Settings, upstream: Upstream) -> None:
        self.platform = upstream.platform
        self.mode = settings.mode
        self.viewer_source = settings.credentials.viewer_source
        self._credentials = settings.credentials
        self._upstream = upstream
        self._decoder = Decoder(upstream)
        self._errors = ErrorResponses(upstream, self._decoder.is_own_error, FORBIDDEN)
        self._has_permalinks = settings.permalinks
        self._site = Base(settings.base_url)
        match settings.credentials:
            case Caller():
                self._calls = GivenTokens(upstream, authorize, brought, CredentialRefused)
            case Password(username=username, password=password):
                own = basic(username, password)
                self._calls = GivenTokens(upstream, authorize, lambda _viewer: own, OwnCredentialRefused)
            case Token(token=token):
                own = bearer(token)
                self._calls = GivenTokens(upstream, authorize, lambda _viewer: own, OwnCredentialRefused)

    async def read(self, viewer: Viewer, user_ids: Collection[int]) -> Mapping[int, Connection | PlatformError]:
        if len(user_ids) > 1:
            return await self._read_many(viewer, user_ids)
        (user_id,) = user_ids
        try:
            return {user_id: (await self.read_before(viewer, user_id)).connection}
        except UserNotFound as unknown:
            return {user_id: unknown}

    async def read_before(self, viewer: Viewer, user_id: int) -> Before:
        response = await self._call(viewer, self._site.get(self._path(f"/friends/{user_id}"), (user_id,)))
        match response.status_code:
            case 200:
                return Before(self._decoder.about(user_id, response))
            case 404:
                match self._decoder.code(response):
                    case tables.NO_FRIENDSHIP:
                        return Before(self._decoder.none(user_id))
                    case tables.NO_SUCH_USER:
                        raise UserNotFound(self.platform, "the site has no such member")
                    case _:
                        raise self._upstream.foreign_error(response)
            case _:
                raise self._errors.failure(response)

    async def list(self, viewer: Viewer, statuses: Collection[Status], position: Position | None, limit: int) -> Page:
        part = int(set(statuses) == {Status.CONNECTED})
        start = 0 if position is None else position.after
        if position is not None and (position.part != part or start > FARTHEST):
            raise InvalidPosition
        me = (await self._me(viewer)).id
        now = asyncio.get_running_loop().time
        until = now() + LOOKS_ON
        for _ in range(PAGES):
            page = await self._page(viewer, me, part, start // PER_PAGE + 1)
            found = self._found(page, me, Position(part, start), statuses, limit)
            if found.entries or found.next is None or now() > until:
                break
            start = found.next.after
        return found

    async def act(self, viewer: Viewer, user_id: int, action: Action, _before: Before) -> Connection:
        path = self._path(f"/friends/{user_id}")
        match action:
            case Action.REQUEST:
                body = {"initiator_id": (await self._me(viewer)).id, "friend_id": user_id}
                request = self._site.acting("POST", self._path("/friends"), user_id, body)
            case Action.ACCEPT:
                request = self._site.acting("PUT", path, user_id)
            case Action.REJECT | Action.CANCEL:
                request = self._site.acting("DELETE", path, user_id)
            case Action.REMOVE:
                request = self._site.acting("DELETE", self._path(f"/friends/{user_id}", "force=true"), user_id)
        response = await self._call(viewer, request)
        if response.status_code != httpx.codes.OK:
            raise self._errors.failed_action(response)
        if request.method == "DELETE":
            return self._decoder.ended(user_id, response)
        return self._decoder.about(user_id, response)

    async def identify(self) -> Identity | None:
        if isinstance(self._credentials, Caller):
            await self._upstream.expect_refusal(self._site.get(self._path("/members/me")), wire.ERROR)
            return None
        me = await self._me(Viewer.own(self.platform))
        return Identity(me.user_login or me.name or str(me.id), me.id)

    async def aclose(self) -> None:
        await self._calls.aclose()

    async def _page(self, viewer: Viewer, me: int, part: int, number: int) -> Sequence[msgspec.Raw]:
        query = f"user_id={me}&{tables.QUERY[part]}&page={number}&per_page={PER_PAGE}"
        response = await self._call(viewer, self._site.get(self._path("/friends", query)))
        return self._errors.expect(response, wire.FRIENDSHIPS)

    def _found(
        self, page: Sequence[msgspec.Raw], me: int, begin: Position, statuses: Collection[Status], limit: int
    ) -> Page:
        """What a page has from `begin` on, which counts from the start of the list."""
        as_of = self._upstream.as_of()
        part, start = begin.part, begin.after
        first = start - start % PER_PAGE
        entries: list[Entry] = []
        for place, raw in enumerate(page[start - first : PER_PAGE], start + 1):
            entry = self._decoder.entry(raw, me, Position(part, place), as_of)
            if isinstance(entry.found, PlatformError) or entry.found.status in statuses:
                entries.append(entry)
            if len(entries) == limit and place < first + len(page):
                return Page(tuple(entries), entries[-1].position)
        is_last = len(page) < PER_PAGE
        return Page(tuple(entries), None if is_last else Position(part, first + PER_PAGE))

    async def _read_many(self, viewer: Viewer, user_ids: Collection[int]) -> Mapping[int, Connection | PlatformError]:
        include = ",".join(map(str, user_ids))
        query = f"include={include}&per_page={PER_PAGE}&_fields=id,friendship_status,friendship_status_slug"
        response = await self._call(viewer, self._site.get(self._path("/members", query), user_ids))
        if response.status_code != httpx.codes.OK:
            raise self._errors.failure(response)
        return self._decoder.members(response, user_ids)

    async def _me(self, viewer: Viewer) -> wire.Me:
        response = await self._call(viewer, self._site.get(self._path("/members/me")))
        return self._errors.expect(response, wire.ME)

    async def _call(self, viewer: Viewer, request: httpx.Request) -> httpx.Response:
        return without_notices(await self._calls.call(viewer, request))

    def _path(self, path: str, query: str = "") -> str:
        if self._has_permalinks:
            return f"/wp-json{API}{path}?{query}" if query else f"/wp-json{API}{path}"
        return f"/?rest_route={API}{path}{'&' if query else ''}{query}"
