"""The calls of a simulated pod."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import jwt
import msgspec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.simulation.claims import IGNORE_TIMES, is_valid_at
from adapters.simulation.tokens import Tokens
from adapters.symphony.simulator.state import LISTED, Pod
from adapters.symphony.wire import NativeStatus, UserId
from adapters.user_ids import INT64, parse_int64

Endpoint = Callable[[Request], Awaitable[Response]]

LONGEST_LOGIN: Final = 300
"""Seconds that a login JWT may live."""
APP: Final = 0
"""Whose an app's own session is: nobody's. It is good for nothing but speaking on behalf of users."""


class _Target(msgspec.Struct, rename="camel"):
    user_id: UserId


class Platform:
    """Any key may log in, unless `public_key` (PEM) is given: then only what it verifies."""

    login_paths = ("/login/", "/relay/")

    def __init__(self, *, empty: bool = False, public_key: str | None = None) -> None:
        self.tokens = Tokens()
        self.user_ids = INT64
        self.switches = {"all_has_implicit": False}
        self.clock_offset = 0.0
        self._pod = Pod(empty=empty)
        self._public_key = load_pem_public_key(public_key.encode()) if public_key else None
        self.routes = [
            Route("/login/pubkey/authenticate", self._log_in("sessionToken", self._user), methods=["POST"]),
            Route("/relay/pubkey/authenticate", self._log_in("keyManagerToken", self._user), methods=["POST"]),
            Route("/login/pubkey/app/authenticate", self._log_in("sessionToken", self._app), methods=["POST"]),
            Route("/login/pubkey/app/user/{user}/authenticate", self._on_behalf, methods=["POST"]),
            Route("/login/pubkey/app/username/{username}/authenticate", self._on_behalf, methods=["POST"]),
            Route("/pod/v2/sessioninfo", self._session_info),
            Route("/pod/v1/connection/user/{user}/info", self._info),
            Route("/pod/v1/connection/list", self._list),
            Route("/pod/v1/connection/create", self._act(self._pod.create), methods=["POST"]),
            Route("/pod/v1/connection/accept", self._act(self._pod.accept), methods=["POST"]),
            Route("/pod/v1/connection/reject", self._act(self._pod.reject), methods=["POST"]),
            Route("/pod/v1/connection/user/{user}/remove", self._remove, methods=["POST"]),
        ]

    def error(self, status: int) -> dict[str, Any]:
        """With the documented trap: a 404's body says 403."""
        return {"code": 403 if status == 404 else status, "message": "The simulated pod says no."}

    def set_connection(self, viewer: int, user: int, status: str | None) -> None:
        self._pod.set(viewer, user, None if status is None else NativeStatus(status))

    def connection(self, viewer: int, user: int) -> str | None:
        found = self._pod.between(viewer, user)
        return None if found is None else found.status

    def _log_in(self, name: str, whose: Callable[[str], int]) -> Endpoint:
        async def log_in(request: Request) -> Response:
            return self._session(name, whose(self._subject(await request.body())))

        return log_in

    async def _on_behalf(self, request: Request) -> Response:
        """Any app may speak for any user of the pod, by id or by name."""
        if self.tokens.user(request.headers.get("sessionToken", "")) != APP:
            raise HTTPException(401)
        if username := request.path_params.get("username"):
            return self._session("sessionToken", self._user(username, otherwise=403))
        user = _user_id(request.path_params["user"])
        if user not in self._pod.users:
            raise HTTPException(403)
        return self._session("sessionToken", user)

    def _session(self, name: str, user: int) -> Response:
        token = self.tokens.issue(user)
        return _json({"name": name, "token": token, "authorizationToken": f"Bearer {token}"})

    def _user(self, username: str, otherwise: int = 401) -> int:
        try:
            user: int = self._pod.users.user(username)
        except KeyError as error:
            raise HTTPException(otherwise) from error
        return user

    @staticmethod
    def _app(app_id: str) -> int:
        """Any app will do."""
        if not app_id:
            raise HTTPException(401)
        return APP

    def _subject(self, body: bytes) -> str:
        """Whom the JWT of a login names."""
        try:
            token = msgspec.json.decode(body, type=dict[str, str])["token"]
            claims = jwt.decode(
                token,
                self._public_key,  # type: ignore[arg-type]  # None where no signature is verified
                algorithms=["RS512"],
                options={"verify_signature": self._public_key is not None, "require": ["exp"], **IGNORE_TIMES},
            )
            now = time.time() + self.clock_offset
            if (
                jwt.get_unverified_header(token)["alg"] != "RS512"
                or not is_valid_at(now, claims)
                or claims["exp"] > now + LONGEST_LOGIN
            ):
                raise HTTPException(401)
            return claims["sub"] if isinstance(claims["sub"], str) else ""
        except (jwt.InvalidTokenError, msgspec.MsgspecError, RecursionError, KeyError) as error:
            raise HTTPException(401) from error

    async def _session_info(self, request: Request) -> Response:
        viewer = self._viewer(request)
        username = self._pod.users.username(viewer)
        return _json({"id": viewer, "username": username, "displayName": username.title()})

    async def _info(self, request: Request) -> Response:
        found = self._pod.between(self._viewer(request), _user_id(request.path_params["user"]))
        if found is None:
            raise HTTPException(404)
        return _json(found)

    async def _list(self, request: Request) -> Response:
        viewer, query = self._viewer(request), request.query_params
        status, user_ids = query.get("status", ""), query.get("userIds")
        if status not in LISTED:
            raise HTTPException(400)
        named = [_user_id(text) for text in user_ids.split(",")] if user_ids else None
        return _json(self._pod.listed(viewer, status, named, all_has_implicit=self.switches["all_has_implicit"]))

    def _act(self, change: Callable[[int, int], object]) -> Endpoint:
        async def act(request: Request) -> Response:
            viewer = self._viewer(request)
            try:
                target = msgspec.json.decode(await request.body(), type=_Target)
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
                raise HTTPException(400) from error
            return _json(change(viewer, target.user_id))

        return act

    async def _remove(self, request: Request) -> Response:
        self._pod.remove(self._viewer(request), _user_id(request.path_params["user"]))
        return _json({"format": "TEXT", "message": "Connection Removed."})

    def _viewer(self, request: Request) -> int:
        viewer: int | None = self.tokens.user(request.headers.get("sessionToken", ""))
        if viewer is None or viewer == APP:
            raise HTTPException(401)
        return viewer


def _user_id(text: str) -> int:
    try:
        return parse_int64(text)
    except ValueError as error:
        raise HTTPException(400) from error


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
