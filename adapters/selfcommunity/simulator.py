"""A simulated community, as its public API reference has it: who is connected is kept in memory."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import jwt
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.contract import parse_user_id
from adapters.selfcommunity.wire import NativeStatus

DEMO: Final = 1
SECRET: Final = "demo-secret-of-the-simulated-community"
"""Signs JWTs, and is the secret of the OAuth client `demo`."""
LIFETIME: Final = 3600
"""Seconds that an access token is said to live; only `expire_sessions` ends one."""

MIRROR: Final[Mapping[NativeStatus, NativeStatus]] = {
    NativeStatus.CONNECTED: NativeStatus.CONNECTED,
    NativeStatus.SENT: NativeStatus.RECEIVED,
    NativeStatus.RECEIVED: NativeStatus.SENT,
}
SEEDS: Final[Mapping[int, NativeStatus]] = {
    101: NativeStatus.CONNECTED,
    102: NativeStatus.RECEIVED,
    103: NativeStatus.SENT,
    **dict.fromkeys(range(1000, 2000), NativeStatus.CONNECTED),
}
STRANGERS: Final = (104, 105)
"""Exist without a connection; 104 declined a request, of which a lookup says nothing."""


class Platform:
    """Takes the token `demo`, JWTs under `SECRET`, and what its OAuth endpoint gave out."""

    login_paths = ("/oauth/",)

    def __init__(self, *, empty: bool = False) -> None:
        self._usernames = {DEMO: "demo"}
        self._access = {"demo": DEMO}
        self._refresh: dict[str, int] = {}
        self._connections: dict[tuple[int, int], NativeStatus] = {}
        self.routes = [
            Route("/oauth/token/", self._token, methods=["POST"]),
            Route("/api/v2/user/me/", self._me),
            Route("/api/v2/user/{user}/connection_status/", self._connection_status),
            Route("/{path:path}", _add_slash, methods=["GET", "POST"]),
        ]
        if not empty:
            self._know(*STRANGERS)
            for user, status in SEEDS.items():
                self.set_connection(DEMO, user, status)

    def error(self, status: int) -> dict[str, Any]:
        return {"detail": f"The simulated community says no ({status})."}

    def set_connection(self, viewer: int, user: int, status: str | None) -> None:
        native = None if status is None else NativeStatus(status)
        self._know(viewer, user)
        if native is None:
            self._connections.pop((viewer, user), None)
            self._connections.pop((user, viewer), None)
        else:
            self._connections[viewer, user] = native
            self._connections[user, viewer] = MIRROR[native]

    def expire_sessions(self) -> None:
        self._access = {"demo": DEMO}

    def _know(self, *users: int) -> None:
        for user in users:
            self._usernames.setdefault(user, f"user-{user}")

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        if (form.get("client_id"), form.get("client_secret")) != ("demo", SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        match form:
            case {"grant_type": "password", "username": "demo", "password": "demo"}:
                user = DEMO
            case {"grant_type": "refresh_token", "refresh_token": token} if token in self._refresh:
                user = self._refresh.pop(token)
            case _:
                return JSONResponse({"error": "invalid_grant"}, 400)
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._access[access] = self._refresh[refresh] = user
        return JSONResponse(
            {
                "access_token": access,
                "expires_in": LIFETIME,
                "token_type": "Bearer",
                "scope": "read write",
                "refresh_token": refresh,
            }
        )

    async def _me(self, request: Request) -> Response:
        viewer = self._viewer(request)
        return JSONResponse({"id": viewer, "username": self._usernames[viewer]})

    async def _connection_status(self, request: Request) -> Response:
        viewer = self._viewer(request)
        try:
            user = parse_user_id(request.path_params["user"])
        except ValueError as error:
            raise HTTPException(404) from error
        if user not in self._usernames:
            raise HTTPException(404)
        return JSONResponse({"connection_status": self._connections.get((viewer, user))})

    def _viewer(self, request: Request) -> int:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        viewer = self._access.get(token) or _user_of_jwt(token)
        if scheme != "Bearer" or viewer not in self._usernames:
            raise HTTPException(401)
        return viewer


def _user_of_jwt(token: str) -> int | None:
    required = ["user_id", "token_type", "jti", "iat", "exp"]
    try:
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"require": required})
    except jwt.InvalidTokenError:
        return None
    user = claims["user_id"]
    return user if isinstance(user, int) and claims["token_type"] == "access" else None


async def _add_slash(request: Request) -> Response:
    """As Django does: a path without its last slash is sent elsewhere, any other is unknown."""
    if request.url.path.endswith("/"):
        raise HTTPException(404)
    return RedirectResponse(request.url.path + "/", 301)
