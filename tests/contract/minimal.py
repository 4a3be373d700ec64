"""The smallest platform that there can be, with its adapter and its simulator: an address book in memory.

It proves the contract a second time, with what no platform in `adapters/` has: ids that are no numbers, no call that
reads several users, no rejected requests, a list with cursors, requests with ids of their own, PUT and DELETE, and an
action of two calls. `docs/adding-a-platform.md` walks through it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import quote

import httpx
import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters import secret
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
    UserNotFound,
    Viewer,
)
from adapters.error_responses import ErrorResponses
from adapters.secret import RedactedRepr
from adapters.sessions import GivenTokens
from adapters.settings import Caller, Credentials, PlatformSettings, ThrottleScope
from adapters.simulation.tokens import Tokens
from adapters.times import rfc3339_of
from adapters.upstream import Base, Upstream
from adapters.user_ids import UserIds

# The settings: the modes of credentials, and what the platform's table says.


class Token(Credentials, frozen=True, kw_only=True, tag="token"):
    """The gateway holds one user's token."""

    token: secret.Token
    token_file: str | None = None


class Settings(PlatformSettings, frozen=True, kw_only=True, tag_field="adapter", tag="minimal"):
    """`base_url` is the address book's."""

    THROTTLE_SCOPE: ClassVar = ThrottleScope.PLATFORM

    credentials: Caller | Token


# The user ids: a pattern, a parser, and how an id is written into a URL.

HANDLE: Final = "@[a-z]{1,40}"


def parse_handle(text: str) -> str:
    """Raises ValueError."""
    if not re.fullmatch(HANDLE, text):
        raise ValueError("expected a user id: @ and 1 to 40 of a-z")
    return text


HANDLES: Final = UserIds(f"^{HANDLE}$", parse_handle, lambda handle: quote(handle, safe=""))

# The wire: what the platform sends, as structs that refuse everything else.

Handle = Annotated[str, msgspec.Meta(pattern=rf"^{HANDLE}\Z")]


class State(StrEnum):
    """The address book's words; null is no connection."""

    FRIENDS = "friends"
    THEY_ASKED = "they-asked"
    YOU_ASKED = "you-asked"


class Person(RedactedRepr, msgspec.Struct, frozen=True):
    """A user."""

    person: Handle


class Contact(Person, frozen=True):
    """Where the viewer stands with a person; `request` is the id of a pending request."""

    state: State | None
    request: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]{1,32}\Z")] | None = None
    since: str | None = None

    def __post_init__(self) -> None:
        if self.state in {State.THEY_ASKED, State.YOU_ASKED} and self.request is None:
            raise ValueError("a request without an id")


class Contacts(RedactedRepr, msgspec.Struct, frozen=True):
    """A page of the list, and the cursor of the next one."""

    contacts: list[msgspec.Raw]
    next: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]{1,100}\Z")] | None


class Confirmation(msgspec.Struct, frozen=True):
    """What a removal needs: it is asked for just before."""

    code: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]{1,32}\Z")]


class Error(msgspec.Struct, frozen=True):
    """The body of every error."""

    error: str


PERSON: Final = msgspec.json.Decoder(Person)
CONTACT: Final = msgspec.json.Decoder(Contact)
CONTACTS: Final = msgspec.json.Decoder(Contacts)
CONFIRMATION: Final = msgspec.json.Decoder(Confirmation)
ERROR: Final = msgspec.json.Decoder(Error)

# The tables: the platform's words as the gateway's.

STATUS: Final[Mapping[State | None, Status]] = {
    State.FRIENDS: Status.CONNECTED,
    State.THEY_ASKED: Status.PENDING_INCOMING,
    State.YOU_ASKED: Status.PENDING_OUTGOING,
    None: Status.NONE,
}
ACTIONS: Final[Mapping[Status, tuple[Action, ...]]] = {
    Status.NONE: (Action.REQUEST,),
    Status.PENDING_INCOMING: (Action.ACCEPT, Action.REJECT),
    Status.PENDING_OUTGOING: (Action.CANCEL,),
    Status.CONNECTED: (Action.REMOVE,),
    Status.REJECTED: (),
}


def authorize(request: httpx.Request, token: secret.Secret) -> None:
    request.headers["X-Book-Token"] = token.reveal()


class MinimalAdapter:
    """Reads, lists and changes the contacts of an address book."""

    USER_IDS: ClassVar[UserIds] = HANDLES
    STATUSES: ClassVar[frozenset[Status]] = frozenset(STATUS.values())
    ACTIONS: ClassVar[Mapping[Status, tuple[Action, ...]]] = ACTIONS
    TOKEN_HEADER: ClassVar[str] = "X-Book-Token"
    TOKEN_SCHEMES: ClassVar[tuple[str, ...]] = ()
    batch_size = 1

    def __init__(self, settings: Settings, upstream: Upstream) -> None:
        self.platform = upstream.platform
        self.mode = settings.mode
        self.viewer_source = settings.credentials.viewer_source
        self._upstream = upstream
        self._errors = ErrorResponses(upstream, self._is_own_error, "the address book answered 403: it is not yours")
        self._book = Base(settings.base_url)
        match settings.credentials:
            case Token(token=token):
                self._calls = GivenTokens(upstream, authorize, lambda _viewer: token, OwnCredentialRefused)
                self._is_ours = True
            case Caller():
                self._calls = GivenTokens(upstream, authorize, Viewer.brought_token, CredentialRefused)
                self._is_ours = False

    async def read(self, viewer: Viewer, user_ids: Collection[str]) -> Mapping[str, Connection | PlatformError]:
        (user_id,) = user_ids
        try:
            return {user_id: (await self.read_before(viewer, user_id)).connection}
        except UserNotFound as unknown:
            return {user_id: unknown}

    async def read_before(self, viewer: Viewer, user_id: str) -> Before:
        request = self._book.get(f"/contacts/{HANDLES.write(user_id)}", (user_id,))
        response = await self._calls.call(viewer, request)
        match response.status_code:
            case 200:
                contact = self._about(user_id, response)
                return Before(self._connection(contact, response), handle=contact.request)
            case 404:
                self._errors.check_own(response)
                raise UserNotFound(self.platform, "the address book has no such person")
            case _:
                raise self._errors.failure(response)

    async def act(self, viewer: Viewer, user_id: str, action: Action, before: Before) -> Connection:
        person = HANDLES.write(user_id)
        match action:
            case Action.REQUEST:
                request = self._book.acting("PUT", f"/changes/people/{person}", user_id)
            case Action.ACCEPT:
                request = self._book.acting("PUT", f"/changes/requests/{before.handle}", user_id)
            case Action.REJECT | Action.CANCEL:
                request = self._book.acting("DELETE", f"/changes/requests/{before.handle}", user_id)
            case Action.REMOVE:
                code = self._errors.expect(
                    await self._calls.call(viewer, self._book.get("/confirmation")), CONFIRMATION
                ).code
                request = self._book.acting("DELETE", f"/changes/people/{person}?code={code}", user_id)
        response = await self._calls.call(viewer, request)
        if response.status_code != httpx.codes.OK:
            raise self._errors.failed_action(response)
        return self._connection(self._about(user_id, response), response)

    async def list(self, viewer: Viewer, statuses: Collection[Status], position: Position | None, limit: int) -> Page:
        position = position or Position(0, 0)
        if position.part:
            raise InvalidPosition
        request = self._book.get(f"/contacts?cursor={position.mark}")
        page = self._errors.expect(await self._calls.call(viewer, request), CONTACTS)
        entries: list[Entry] = []
        for place, raw in enumerate(page.contacts[position.after :], position.after + 1):
            entry = self._entry(raw, Position(0, place, position.mark))
            if isinstance(entry.found, PlatformError) or entry.found.status in statuses:
                entries.append(entry)
            if len(entries) == limit and place < len(page.contacts):
                return Page(tuple(entries), entries[-1].position)
        return Page(tuple(entries), None if page.next is None else Position(0, 0, page.next))

    async def identify(self) -> Identity | None:
        request = self._book.get("/me")
        if not self._is_ours:
            await self._upstream.expect_refusal(request, ERROR)
            return None
        me = self._errors.expect(await self._calls.call(Viewer.own(self.platform), request), PERSON)
        return Identity(me.person, me.person)

    async def aclose(self) -> None:
        """Nothing is ever under way but calls."""

    def _about(self, user_id: str, response: httpx.Response) -> Contact:
        contact = self._upstream.decode(response, CONTACT)
        if contact.person != user_id:
            raise self._upstream.invalid("the answer is about another user", response)
        return contact

    def _entry(self, raw: msgspec.Raw, position: Position) -> Entry:
        whose = self._upstream.decode_part(raw, PERSON)
        if isinstance(whose, InvalidAnswer):
            return Entry(None, whose, position)
        contact = self._upstream.decode_part(raw, CONTACT)
        if isinstance(contact, InvalidAnswer):
            return Entry(whose.person, contact, position)
        try:
            return Entry(whose.person, self._connection(contact), position)
        except InvalidAnswer as invalid:
            return Entry(whose.person, invalid, position)

    def _connection(self, contact: Contact, response: httpx.Response | None = None) -> Connection:
        """`response` where the contact is the whole answer. Raises InvalidAnswer."""
        status = STATUS[contact.state]
        try:
            since = rfc3339_of(contact.since)
        except ValueError:
            raise self._upstream.invalid("expected an ISO 8601 time at `since`", response) from None
        return Connection(
            platform=self.platform,
            user_id=contact.person,
            status=status,
            native_status=contact.state,
            actions=ACTIONS[status],
            first_requested_at=since,
            updated_at=None,
            request_count=None,
            as_of=self._upstream.as_of(),
        )

    def _is_own_error(self, response: httpx.Response) -> bool:
        error = self._upstream.decode_part(response.content, ERROR)
        return not isinstance(error, InvalidAnswer)


# The simulator: the same platform from the other side, with the users that the tests expect.

MIRROR: Final = {State.FRIENDS: State.FRIENDS, State.THEY_ASKED: State.YOU_ASKED, State.YOU_ASKED: State.THEY_ASKED}
PAGE: Final = 50


def handle(number: int) -> str:
    """The handle of a seeded user: their number in letters."""
    return "@" + "".join(chr(ord("a") + int(digit)) for digit in str(number))


class AddressBook:
    """Takes the token `demo`, which is the first user's."""

    login_paths: tuple[str, ...] = ("/none",)

    def __init__(self) -> None:
        self.tokens = Tokens(handle(1))
        self.switches: dict[str, bool] = {}
        self.clock_offset = 0.0
        self.user_ids = HANDLES
        self._states: dict[tuple[str, str], State] = {}
        self._people = set(map(handle, (1, 104, 105, 106)))
        seeds = {101: State.FRIENDS, 102: State.THEY_ASKED, 103: State.YOU_ASKED}
        for number, state in {**seeds, **dict.fromkeys(range(1000, 2000), State.FRIENDS)}.items():
            self.set_connection(handle(1), handle(number), state)
        self.routes = [
            Route("/me", self._me),
            Route("/confirmation", self._confirmation),
            Route("/contacts", self._contacts),
            Route("/contacts/{person}", self._contact),
            Route("/changes/people/{person}", self._change_person, methods=["PUT", "DELETE"]),
            Route("/changes/requests/{request}", self._change_request, methods=["PUT", "DELETE"]),
        ]

    def error(self, status: int) -> dict[str, Any]:
        return {"error": f"The address book says no ({status})."}

    def set_connection(self, viewer: str, user: str, status: str | None) -> None:
        self._people |= {viewer, user}
        for pair in ((viewer, user), (user, viewer)):
            self._states.pop(pair, None)
        if status is not None:
            self._states[viewer, user], self._states[user, viewer] = State(status), MIRROR[State(status)]

    def connection(self, viewer: str, user: str) -> str | None:
        return self._states.get((viewer, user))

    async def _me(self, request: Request) -> Response:
        return JSONResponse({"person": self._viewer(request)})

    async def _confirmation(self, request: Request) -> Response:
        self._viewer(request)
        return JSONResponse({"code": "c1"})

    async def _contact(self, request: Request) -> Response:
        return self._described(self._viewer(request), request.path_params["person"])

    async def _contacts(self, request: Request) -> Response:
        viewer, start = self._viewer(request), int(request.query_params["cursor"].removeprefix("c") or 0)
        people = [user for whose, user in self._states if whose == viewer]
        page = [self._entry(viewer, user) for user in people[start : start + PAGE]]
        more = f"c{start + PAGE}" if start + PAGE < len(people) else None
        return JSONResponse({"contacts": page, "next": more})

    async def _change_person(self, request: Request) -> Response:
        viewer, user = self._viewer(request), request.path_params["person"]
        state = self._states.get((viewer, user))
        if user not in self._people:
            raise HTTPException(404)
        if request.method == "PUT" and state is None:
            self.set_connection(viewer, user, State.YOU_ASKED)
        elif request.method == "DELETE" and state is State.FRIENDS and request.query_params.get("code") == "c1":
            self.set_connection(viewer, user, None)
        else:
            raise HTTPException(409)
        return self._described(viewer, user)

    async def _change_request(self, request: Request) -> Response:
        viewer = self._viewer(request)
        user = "@" + request.path_params["request"].removeprefix("r")
        state = self._states.get((viewer, user))
        if state not in ({State.THEY_ASKED} if request.method == "PUT" else {State.THEY_ASKED, State.YOU_ASKED}):
            raise HTTPException(409)
        self.set_connection(viewer, user, State.FRIENDS if request.method == "PUT" else None)
        return self._described(viewer, user)

    def _described(self, viewer: str, user: str) -> Response:
        if user not in self._people:
            raise HTTPException(404)
        return JSONResponse(self._entry(viewer, user))

    def _entry(self, viewer: str, user: str) -> dict[str, Any]:
        state = self._states.get((viewer, user))
        entry: dict[str, Any] = {"person": user, "state": state}
        if state in {State.THEY_ASKED, State.YOU_ASKED}:
            entry |= {"request": f"r{user[1:]}", "since": "2026-01-05T09:30:00Z"}
        return entry

    def _viewer(self, request: Request) -> str:
        viewer: str | None = self.tokens.user(request.headers.get("x-book-token", ""))
        if viewer is None:
            raise HTTPException(401)
        return viewer
