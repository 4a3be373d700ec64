"""The calls of a simulated community."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

import jwt
import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from adapters.selfcommunity.simulator.state import Community, Record
from adapters.selfcommunity.simulator.webhooks import Webhooks
from adapters.selfcommunity.wire import NativeStatus, UserId
from adapters.simulation.claims import IGNORE_TIMES, is_valid_at
from adapters.simulation.tokens import DEMO, Tokens
from adapters.user_ids import INT64, parse_int64

Endpoint = Callable[[Request], Awaitable[Response]]

SECRET: Final = "demo-secret-of-the-simulated-community"
"""Signs JWTs, and is the secret of the OAuth client `demo`."""
LIFETIME: Final = 3600
"""Seconds that an access token is said to live; only `expire_sessions` ends one."""
PAGE: Final = 20
"""Entries on a page, unless `limit` says otherwise."""
LONGEST_PAGE: Final = 100


class _Users(msgspec.Struct):
    users: list[UserId]


class Platform:
    """Takes the token `demo`, JWTs under `SECRET`, and what its OAuth endpoint gave out."""

    login_paths = ("/oauth/",)

    def __init__(self, *, empty: bool = False) -> None:
        self.tokens = Tokens()
        self.user_ids = INT64
        self.switches: dict[str, bool] = {}
        self.clock_offset = 0.0
        self._refresh: dict[str, int] = {}
        self._jtis: dict[str, str] = {}
        self.webhooks = Webhooks()
        self.controls = self.webhooks.controls
        self._community = community = Community(empty=empty, changed=self.webhooks.changed)
        self.routes = [
            Route("/oauth/token/", self._token, methods=["POST"]),
            Route("/api/v2/user/me/", self._me),
            Route("/api/v2/user/connection/statuses/", self._statuses, methods=["POST"]),
            Route("/api/v2/user/connection/requests/", self._requests(NativeStatus.RECEIVED, "from_user")),
            Route("/api/v2/user/connection/requests_sent/", self._requests(NativeStatus.SENT, "to_user")),
            Route("/api/v2/user/{user}/connections/", self._connections),
            Route("/api/v2/user/{user}/connection_status/", self._connection_status),
            self._action("request", community.request),
            self._action("accept", community.accept),
            self._action("reject", community.reject),
            self._action("cancel_request", community.cancel),
            self._action("remove", community.remove),
            Route("/{path:path}", _add_slash, methods=["GET", "POST"]),
        ]

    def error(self, status: int) -> dict[str, Any]:
        return {"detail": f"The simulated community says no ({status})."}

    def set_connection(self, viewer: int, user: int, status: str | None) -> None:
        self._community.set(viewer, user, None if status is None else NativeStatus(status))

    def connection(self, viewer: int, user: int) -> str | None:
        return self._community.status(viewer, user)

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        if (form.get("client_id"), form.get("client_secret")) != ("demo", SECRET):
            return _json({"error": "invalid_client"}, 401)
        match form:
            case {"grant_type": "password", "username": "demo", "password": "demo"}:
                user = DEMO
            case {"grant_type": "refresh_token", "refresh_token": token} if token in self._refresh:
                user = self._refresh.pop(token)
            case _:
                return _json({"error": "invalid_grant"}, 400)
        access, refresh = self.tokens.issue(user), secrets.token_urlsafe(24)
        self._refresh[refresh] = user
        return _json(
            {
                "access_token": access,
                "expires_in": LIFETIME,
                "token_type": "Bearer",
                "scope": "read write",
                "refresh_token": refresh,
            }
        )

    async def _me(self, request: Request) -> Response:
        return _json(self._described(self._viewer(request)))

    async def _connection_status(self, request: Request) -> Response:
        return _json({"connection_status": self._community.status(self._viewer(request), self._user(request))})

    async def _statuses(self, request: Request) -> Response:
        viewer = self._viewer(request)
        try:
            asked = msgspec.json.decode(await request.body(), type=_Users)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise HTTPException(400) from error
        known = [user for user in asked.users if user in self._community.users]
        return _json({"connection_statuses": {str(user): self._community.status(viewer, user) for user in known}})

    def _requests(self, direction: NativeStatus, whose: str) -> Endpoint:
        def described(entry: tuple[int, Record]) -> dict[str, Any]:
            user, record = entry
            return {
                whose: self._described(user),
                "created": record.created,
                "rejected": record.rejected,
                "viewed": None,
            }

        async def requests(request: Request) -> Response:
            return _page(request, self._community.requests(self._viewer(request), direction), described)

        return requests

    async def _connections(self, request: Request) -> Response:
        self._viewer(request)
        return _page(request, self._community.connected(self._user(request)), self._described)

    def _action(self, word: str, change: Callable[[int, int], NativeStatus | None]) -> Route:
        async def act(request: Request) -> Response:
            return _json({"connection_status": change(self._viewer(request), self._user(request))})

        return Route(f"/api/v2/user/{{user}}/connection/{word}/", act, methods=["POST"])

    def _described(self, user: int) -> dict[str, Any]:
        return {"id": user, "username": self._community.users.username(user)}

    def _user(self, request: Request) -> int:
        try:
            user = parse_int64(request.path_params["user"])
        except ValueError as error:
            raise HTTPException(404) from error
        if user not in self._community.users:
            raise HTTPException(404)
        return user

    def _viewer(self, request: Request) -> int:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        viewer = self.tokens.user(token) or self._user_of_jwt(token)
        if scheme != "Bearer" or viewer is None or viewer not in self._community.users:
            raise HTTPException(401)
        return viewer

    def _user_of_jwt(self, token: str) -> int | None:
        """What is signed with our secret is good while it lives, if no other has its `jti`."""
        required = ["user_id", "token_type", "jti", "iat", "exp"]
        try:
            claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"require": required, **IGNORE_TIMES})
        except jwt.InvalidTokenError:
            return None
        user = claims["user_id"]
        if type(user) is not int or not is_valid_at(time.time() + self.clock_offset, claims):
            return None
        if claims["token_type"] != "access" or not self.tokens.is_live(token):
            return None
        return user if self._jtis.setdefault(str(claims["jti"]), token) == token else None


def _page(request: Request, entries: Sequence[Any], described: Callable[[Any], object]) -> Response:
    """A page as Django REST Framework makes it: what it can't read of `limit` and `offset` is the default."""
    limit = min(_number(request, "limit") or PAGE, LONGEST_PAGE)
    offset = _number(request, "offset")

    def at(start: int) -> str:
        return str(request.url.include_query_params(limit=limit, offset=start))

    end = offset + limit
    return _json(
        {
            "count": len(entries),
            "next": at(end) if end < len(entries) else None,
            "previous": at(max(offset - limit, 0)) if offset else None,
            "results": [described(each) for each in entries[offset:end]],
        }
    )


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


async def _add_slash(request: Request) -> Response:
    """As Django does: a path without its last slash is sent elsewhere, any other is unknown."""
    if request.url.path.endswith("/"):
        raise HTTPException(404)
    return RedirectResponse(request.url.path + "/", 301)
