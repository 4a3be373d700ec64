"""The calls of a simulated BuddyPress site."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from adapters.buddypress.simulator.state import Friendship, Refused, Site
from adapters.buddypress.wire import NativeStatus, UserId
from adapters.simulation.tokens import DEMO, Tokens
from adapters.user_ids import INT64, parse_int64

Endpoint = Callable[[Request], Awaitable[Response]]
PREFIX: Final = "/wp-json"
NOTICE: Final = "<br />\n<b>Notice</b>:  Undefined index: x in <b>/var/www/x.php</b> on line <b>7</b><br />\n"
LONGEST_PAGE: Final = 100


class _Request(msgspec.Struct):
    initiator_id: UserId
    friend_id: UserId


class Platform:
    """Takes the bearer token `demo`, and the application password `demo` of the user `demo`."""

    login_paths = ("/wp-login",)

    def __init__(self, *, empty: bool = False) -> None:
        self.tokens = Tokens()
        self.user_ids = INT64
        self.switches = {"php_notices": False}
        self.clock_offset = 0.0
        self._site = site = Site(empty=empty)
        api = [
            self._route("/members/me", self._me, "GET"),
            self._route("/members", self._members, "GET"),
            self._route("/friends", self._friends, "GET"),
            self._route("/friends", self._create, "POST"),
            self._route("/friends/{user}", self._on(site.between), "GET"),
            self._route("/friends/{user}", self._on(site.accept), "PUT"),
            self._route("/friends/{user}", self._delete, "DELETE"),
        ]
        self._router = Router(api)
        self.routes = [*api, Route("/", self._by_query, methods=["GET", "POST", "PUT", "DELETE"])]

    def error(self, status: int, code: str = "bp_rest_error") -> dict[str, Any]:
        return {"code": code, "message": "The simulated site says no.", "data": {"status": status}}

    def set_connection(self, viewer: int, user: int, status: str | None) -> None:
        self._site.set(viewer, user, None if status is None else NativeStatus(status))

    def connection(self, viewer: int, user: int) -> str | None:
        return self._site.status(viewer, user)

    def _route(self, path: str, endpoint: Endpoint, method: str) -> Route:
        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except Refused as refused:
                return self._json(self.error(refused.status, refused.code), refused.status)

        return Route(f"{PREFIX}/buddypress/v2{path}", answer, methods=[method])

    async def _by_query(self, request: Request) -> Response:
        """Without pretty permalinks the path of a call is a parameter."""
        query = parse_qs(request.url.query)
        path = PREFIX + query.pop("rest_route", ["/"])[0]
        scope = {**request.scope, "path": path, "query_string": urlencode(query, doseq=True).encode()}
        return _Elsewhere(self._router, scope)

    async def _me(self, request: Request) -> Response:
        viewer = self._viewer(request)
        username = self._site.users.username(viewer)
        return self._json({"id": viewer, "name": username.title(), "user_login": username})

    async def _members(self, request: Request) -> Response:
        viewer = self._viewer(request)
        try:
            asked = [parse_int64(text) for text in request.query_params["include"].split(",")]
        except (KeyError, ValueError) as error:
            raise Refused(400, "rest_invalid_param") from error
        known = [user for user in dict.fromkeys(asked) if user in self._site.users][:LONGEST_PAGE]
        return self._json([self._member(viewer, user) for user in known])

    def _member(self, viewer: int, user: int) -> dict[str, Any]:
        slug = self._site.status(viewer, user)
        return {"id": user, "friendship_status": slug is NativeStatus.IS_FRIEND, "friendship_status_slug": slug}

    async def _friends(self, request: Request) -> Response:
        viewer, query = self._viewer(request), request.query_params
        if query.get("user_id") != str(viewer):
            raise Refused(403, "bp_rest_authorization_required")
        confirmed = query.get("is_confirmed") == "1"
        found = [each for each in self._site.users.of(viewer).values() if each.is_confirmed or not confirmed]
        size = min(_number(query.get("per_page", "10")), LONGEST_PAGE)
        start = (_number(query.get("page", "1")) - 1) * size
        page = found[start : start + size]
        return self._json([_described(each) for each in page], headers={"X-WP-Total": str(len(page))})

    async def _create(self, request: Request) -> Response:
        viewer = self._viewer(request)
        try:
            asked = msgspec.json.decode(await request.body(), type=_Request)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise Refused(400, "rest_invalid_param") from error
        if asked.initiator_id != viewer:
            raise Refused(403, "bp_rest_friends_create_item_failed")
        return self._json(_described(self._site.create(viewer, asked.friend_id)))

    def _on(self, change: Callable[[int, int], Friendship]) -> Endpoint:
        async def answer(request: Request) -> Response:
            return self._json(_described(change(self._viewer(request), _user(request))))

        return answer

    async def _delete(self, request: Request) -> Response:
        previous = self._site.delete(self._viewer(request), _user(request))
        return self._json({"deleted": True, "previous": _described(previous)})

    def _viewer(self, request: Request) -> int:
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        viewer = self.tokens.user(credential) if scheme == "Bearer" else None
        if scheme == "Basic":
            viewer = DEMO if _pair(credential) == "demo:demo" else None
        if viewer is None or viewer not in self._site.users:
            raise Refused(401, "bp_rest_authorization_required")
        return int(viewer)

    def _json(self, value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        notice = NOTICE if self.switches["php_notices"] else ""
        return Response(notice.encode() + msgspec.json.encode(value), status, headers, "application/json")


class _Elsewhere(Response):
    """The response of another path."""

    def __init__(self, router: Router, scope: Scope) -> None:
        super().__init__()
        self._router = router
        self._scope = scope

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await self._router(self._scope, receive, send)


def _described(found: Friendship) -> dict[str, Any]:
    created = found.created.replace(tzinfo=None).isoformat(timespec="seconds")
    return {
        "id": found.id,
        "initiator_id": found.initiator_id,
        "friend_id": found.friend_id,
        "is_confirmed": found.is_confirmed,
        "date_created": created,
        "date_created_gmt": created,
    }


def _user(request: Request) -> int:
    try:
        return parse_int64(request.path_params["user"])
    except ValueError as error:
        raise HTTPException(404) from error


def _pair(credential: str) -> str:
    try:
        return base64.b64decode(credential, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 else 1
