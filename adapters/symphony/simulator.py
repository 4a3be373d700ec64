"""A simulated pod, as its public API description has it: who is connected is kept in memory."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import jwt
import msgspec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.contract import parse_user_id
from adapters.symphony.wire import NativeStatus, UserConnection

Endpoint = Callable[[Request], Awaitable[Response]]

DEMO: Final = 1
SAME_POD: Final = 106
LONGEST_LOGIN: Final = 300
"""Seconds that a login JWT may live."""

MIRROR: Final[Mapping[NativeStatus, NativeStatus]] = {
    NativeStatus.PENDING_INCOMING: NativeStatus.PENDING_OUTGOING,
    NativeStatus.PENDING_OUTGOING: NativeStatus.PENDING_INCOMING,
    NativeStatus.ACCEPTED: NativeStatus.ACCEPTED,
    NativeStatus.REJECTED: NativeStatus.REJECTED,
}
SEEDS: Final[Mapping[int, NativeStatus]] = {
    101: NativeStatus.ACCEPTED,
    102: NativeStatus.PENDING_INCOMING,
    103: NativeStatus.PENDING_OUTGOING,
    104: NativeStatus.REJECTED,
}
FIRST_REQUESTED_AT: Final = 1470018073812
UPDATED_AT: Final = 1471018076255


class Platform:
    """Any key may log in, unless `public_key` (PEM) is given: then only what it verifies."""

    login_paths = ("/login/", "/relay/")

    def __init__(self, *, empty: bool = False, public_key: str | None = None) -> None:
        self._public_key = load_pem_public_key(public_key.encode()) if public_key else None
        self._usernames = {DEMO: "demo"}
        self._sessions = {"demo": DEMO}
        self._connections: dict[tuple[int, int], UserConnection] = {}
        self._same_pod: set[int] = set()
        self.routes = [
            Route("/login/pubkey/authenticate", self._log_in("sessionToken"), methods=["POST"]),
            Route("/relay/pubkey/authenticate", self._log_in("keyManagerToken"), methods=["POST"]),
            Route("/pod/v2/sessioninfo", self._session_info),
            Route("/pod/v1/connection/user/{user}/info", self._info),
        ]
        if not empty:
            self._seed()

    def error(self, status: int) -> dict[str, Any]:
        """With the documented trap: a 404's body says 403."""
        return {"code": 403 if status == 404 else status, "message": "The simulated pod says no."}

    def set_connection(self, viewer: int, user: int, status: str | None) -> None:
        native = None if status is None else NativeStatus(status)
        self._know(viewer, user)
        if native is None:
            self._connections.pop((viewer, user), None)
            self._connections.pop((user, viewer), None)
        else:
            now = time.time_ns() // 1_000_000
            self._connect(viewer, user, native, (now, now, 1))

    def give_session(self, token: str, user: int) -> None:
        """Let `token` be a session of `user`, for tests of callers who bring their own."""
        self._know(user)
        self._sessions[token] = user

    def expire_sessions(self) -> None:
        self._sessions = {"demo": DEMO}

    def _seed(self) -> None:
        self._know(105, SAME_POD)
        self._same_pod |= {DEMO, SAME_POD}
        for user, status in SEEDS.items():
            self._connect(DEMO, user, status, (FIRST_REQUESTED_AT, UPDATED_AT, 1))
        for user in range(1000, 2000):
            self._connect(DEMO, user, NativeStatus.ACCEPTED, (None, None, None))

    def _know(self, *users: int) -> None:
        for user in users:
            self._usernames.setdefault(user, f"user-{user}")

    def _connect(
        self, viewer: int, user: int, status: NativeStatus, rest: tuple[int | None, int | None, int | None]
    ) -> None:
        self._know(viewer, user)
        self._connections[viewer, user] = UserConnection(user, status, *rest)
        self._connections[user, viewer] = UserConnection(viewer, MIRROR[status], *rest)

    def _log_in(self, name: str) -> Endpoint:
        async def log_in(request: Request) -> Response:
            user = self._user_of_login(await request.body())
            token = secrets.token_urlsafe(32)
            self._sessions[token] = user
            return _json({"name": name, "token": token, "authorizationToken": f"Bearer {token}"})

        return log_in

    def _user_of_login(self, body: bytes) -> int:
        try:
            token = msgspec.json.decode(body, type=dict[str, str])["token"]
            claims = jwt.decode(
                token,
                self._public_key,  # type: ignore[arg-type]  # None where no signature is verified
                algorithms=["RS512"],
                options={
                    "verify_signature": self._public_key is not None,
                    "verify_exp": True,
                    "require": ["exp"],
                },
            )
            if jwt.get_unverified_header(token)["alg"] != "RS512" or claims["exp"] > time.time() + LONGEST_LOGIN:
                raise HTTPException(401)
            return next(user for user, name in self._usernames.items() if name == claims["sub"])
        except (jwt.InvalidTokenError, msgspec.MsgspecError, RecursionError, KeyError, StopIteration) as error:
            raise HTTPException(401) from error

    async def _session_info(self, request: Request) -> Response:
        viewer = self._viewer(request)
        username = self._usernames[viewer]
        return _json({"id": viewer, "username": username, "displayName": username.title()})

    async def _info(self, request: Request) -> Response:
        viewer = self._viewer(request)
        try:
            user = parse_user_id(request.path_params["user"])
        except ValueError as error:
            raise HTTPException(400) from error
        found = self._connections.get((viewer, user))
        if found is None and viewer != user and {viewer, user} <= self._same_pod:
            found = UserConnection(user, NativeStatus.ACCEPTED)
        if found is None:
            raise HTTPException(404)
        return _json(found)

    def _viewer(self, request: Request) -> int:
        try:
            return self._sessions[request.headers["sessionToken"]]
        except KeyError as error:
            raise HTTPException(401) from error


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
