"""A Symphony pod, as its Pod API 20.17.1 and Login API 20.14.1 describe it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Collection, Mapping
from typing import ClassVar, Final

import httpx

from adapters.contract import (
    Action,
    Before,
    Connection,
    CredentialRefused,
    Entry,
    Identity,
    InvalidAnswer,
    InvalidPosition,
    Page,
    PlatformError,
    Position,
    Status,
    Viewer,
)
from adapters.error_responses import ErrorResponses
from adapters.sessions import Calls, GivenTokens, Sessions
from adapters.settings import Caller
from adapters.symphony import tables, wire
from adapters.symphony.credentials import TOKEN_HEADER, OnBehalfLogin, RsaLogin, authorize
from adapters.symphony.decoding import Decoder, Listed
from adapters.symphony.settings import Bot, Obo, Settings
from adapters.upstream import Base, Upstream
from adapters.user_ids import INT64, MAX_USER_ID, UserIds

FORBIDDEN: Final = "the pod answered 403: no entitlement, or crossPod is not enabled between the two users' pods"
LONGEST_LIST: Final = 16 * 1024 * 1024
"""Bytes. A pod's list has no pages: it comes whole."""


class SymphonyAdapter:
    """Reads, lists and changes connections in one pod."""

    USER_IDS: ClassVar[UserIds] = INT64
    STATUSES: ClassVar[frozenset[Status]] = frozenset(Status)
    ACTIONS: ClassVar[Mapping[Status, tuple[Action, ...]]] = tables.ACTIONS
    TOKEN_HEADER: ClassVar[str] = TOKEN_HEADER
    TOKEN_SCHEMES: ClassVar[tuple[str, ...]] = ()
    batch_size = 300
    """The ids stand in the URL, with up to 20 characters each, and common proxies refuse one of over 8 KiB."""

    def __init__(self, settings: Settings, upstream: Upstream) -> None:
        self.platform = upstream.platform
        self.mode = settings.mode
        self.viewer_source = settings.credentials.viewer_source
        self._credentials = settings.credentials
        self._upstream = upstream
        self._decoder = Decoder(upstream)
        self._errors = ErrorResponses(upstream, self._decoder.is_own_error, FORBIDDEN)
        self._pod = Base(f"{settings.base_url}/pod")
        self._calls: Calls
        login_url = settings.login_url or f"{settings.base_url}/login"
        match settings.credentials:
            case Caller():
                self._calls = GivenTokens(upstream, authorize, Viewer.brought_token, CredentialRefused)
            case Bot(username=name, private_key=key):
                login = RsaLogin(name, key, upstream, f"{login_url}/pubkey/authenticate")
                self._calls = Sessions(upstream, authorize, login.log_in)
            case Obo(app_id=name, private_key=key):
                login = RsaLogin(name, key, upstream, f"{login_url}/pubkey/app/authenticate")
                self._app = Sessions(upstream, authorize, login.log_in)
                self._calls = Sessions(upstream, authorize, OnBehalfLogin(self._app, upstream, login_url).log_in)

    async def read(self, viewer: Viewer, user_ids: Collection[int]) -> Mapping[int, Connection | PlatformError]:
        if len(user_ids) == 1:
            (user_id,) = user_ids
            return {user_id: await self._read_one(viewer, user_id)}
        return await self._read_many(viewer, user_ids)

    async def list(self, viewer: Viewer, statuses: Collection[Status], position: Position | None, limit: int) -> Page:
        if position is not None and (position.part or not position.after):
            raise InvalidPosition
        after = 0 if position is None else position.after
        listed = await self._listed(viewer, tables.LISTS.get(frozenset(statuses), tables.LIST_OF_ALL))
        first: list[tuple[int, wire.UserConnection | InvalidAnswer]] = []
        remaining = 0
        while listed.parts:
            behind = [
                (user_id, entry)
                for user_id, entry in listed.parts.pop().items()
                if user_id > after and (isinstance(entry, InvalidAnswer) or tables.STATUS[entry.status] in statuses)
            ]
            remaining += len(behind)
            first = heapq.nsmallest(limit, first + behind)
            if listed.parts:
                await asyncio.sleep(0)
        as_of = self._upstream.as_of()
        entries = [
            Entry(user_id, self._decoder.found(user_id, entry, as_of), Position(0, user_id))
            for user_id, entry in first
        ]
        remaining -= len(entries)
        if listed.nameless is not None and after < MAX_USER_ID:
            # It comes last, since a list is sorted by user.
            if len(entries) < limit:
                entries.append(Entry(None, listed.nameless, Position(0, MAX_USER_ID)))
            else:
                remaining += 1
        return Page(tuple(entries), entries[-1].position if remaining else None, remaining)

    async def read_before(self, viewer: Viewer, user_id: int) -> Before:
        return Before(await self._read_one(viewer, user_id))

    async def act(self, viewer: Viewer, user_id: int, action: Action, _before: Before) -> Connection:
        if action is Action.REMOVE:
            request = self._pod.acting("POST", f"/v1/connection/user/{user_id}/remove", user_id)
        else:
            request = self._pod.acting("POST", tables.ACTION_PATH[action], user_id, {"userId": user_id})
        response = await self._calls.call(viewer, request)
        match response.status_code:
            case 200 if action is Action.REMOVE:
                self._upstream.decode(response, wire.REMOVED)
                return self._decoder.none(user_id)
            case 200:
                return self._decoder.about(user_id, response)
            case _:
                raise self._errors.failed_action(response)

    async def identify(self) -> Identity | None:
        request = self._pod.get("/v2/sessioninfo")
        viewer = Viewer.own(self.platform)
        match self._credentials:
            case Caller():
                await self._upstream.expect_refusal(request, wire.ERROR)
                return None
            case Obo(app_id=app_id):
                await self._app.token(viewer)
                return Identity(app_id)
            case Bot():
                info = self._errors.expect(await self._calls.call(viewer, request), wire.SESSION_INFO)
                return Identity(info.username or str(info.id), info.id)

    async def aclose(self) -> None:
        await self._calls.aclose()

    async def _read_one(self, viewer: Viewer, user_id: int) -> Connection:
        request = self._pod.get(f"/v1/connection/user/{user_id}/info", users=(user_id,))
        response = await self._calls.call(viewer, request)
        match response.status_code:
            case 200:
                return self._decoder.about(user_id, response)
            case 404:
                # Either there was never a request, or there is no such user: the pod does not say which.
                self._errors.check_own(response)
                return self._decoder.none(user_id)
            case _:
                raise self._errors.failure(response)

    async def _read_many(self, viewer: Viewer, user_ids: Collection[int]) -> Mapping[int, Connection | PlatformError]:
        listed = await self._listed(viewer, f"?status=ALL&userIds={_joined(user_ids)}", user_ids)
        found = {user_id: entry for user_id in user_ids if (entry := listed.get(user_id)) is not None}
        as_of = self._upstream.as_of()
        failure: PlatformError | None = None
        nameless = listed.nameless
        if left_out := [user_id for user_id in user_ids if user_id not in found]:
            # Whether ALL has implicit connections is not promised; ACCEPTED has those that are named.
            try:
                accepted = await self._listed(viewer, f"?status=ACCEPTED&userIds={_joined(left_out)}", left_out)
                found |= {user_id: entry for user_id in left_out if (entry := accepted.get(user_id)) is not None}
                nameless = nameless or accepted.nameless
            except PlatformError as error:
                if error.refusal is not None:
                    raise
                failure = error
        return {
            user_id: failure
            if failure and user_id not in found
            else self._decoder.found(user_id, found.get(user_id, nameless), as_of)
            for user_id in user_ids
        }

    async def _listed(self, viewer: Viewer, query: str, user_ids: Collection[int] = ()) -> Listed:
        request = self._pod.get(f"/v1/connection/list{query}", user_ids)
        request.extensions["max_body"] = LONGEST_LIST
        response = await self._calls.call(viewer, request)
        if response.status_code != httpx.codes.OK:
            raise self._errors.failure(response)
        return await self._decoder.listed(response)


def _joined(user_ids: Collection[int]) -> str:
    return ",".join(map(str, user_ids))
