"""A pod on a virtual clock. Each answer shows whose it is, and how new.

A connection is at version 0, 1, 2, …: `ACCEPTED` at even ones, where the pod's `requestCounter` says viewer, user and
version, and none at odd ones.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

import httpx
import msgspec

VIEWERS: Final = (1, 2)
USERS: Final = (1001, 1002, 1003)
APP: Final = 0
"""As whom the gateway logs in, to speak for viewers."""
Key = tuple[int, int]
"""A viewer and a user."""


class Call(msgspec.Struct, frozen=True):
    """One that reached the pod: from which replica, and for a login whose."""

    replica: int
    login: int | None


class Pod:
    """`on_call` is told each call as it arrives, and `on_throttled` each that is refused, and for how long."""

    def __init__(
        self,
        random: Random,
        *,
        on_call: Callable[[Call], None],
        on_throttled: Callable[[int, float], None],
        slow: float,
    ) -> None:
        self.versions: Counter[Key] = Counter()
        self.logins: Counter[int] = Counter()
        self.throttling: float | None = None
        """seconds of the window that the next call opens"""
        self._random = random
        self._on_call = on_call
        self._on_throttled = on_throttled
        self._slow = slow
        self._tokens: dict[str, int] = {}

    def expire_sessions(self) -> None:
        self._tokens.clear()

    def wire(self, replica: int) -> httpx.AsyncBaseTransport:
        return _Wire(self, replica)

    async def respond(self, replica: int, request: httpx.Request) -> httpx.Response:
        """Answer after a while; what the call changes is changed somewhere on the way."""
        *_, parent, last = request.url.path.split("/")
        is_login = last == "authenticate"
        login = None if not is_login else int(parent) if parent.isdigit() else APP
        self._on_call(Call(replica, login))
        await self._wait()
        if self.throttling is not None and not is_login:
            seconds, self.throttling = self.throttling, None
            await self._wait()
            self._on_throttled(replica, seconds)
            return httpx.Response(429, headers={"retry-after": f"{seconds:.0f}"}, json={})
        status, answer = self._answer(request, login, last)
        await self._wait()
        return httpx.Response(status, content=msgspec.json.encode(answer))

    def _answer(self, request: httpx.Request, login: int | None, last: str) -> tuple[int, object]:
        if last == "authenticate":
            viewer = login or APP
            if viewer != APP and request.headers.get("sessiontoken") not in self._tokens:
                return 401, {"code": 401, "message": "expired"}
            self.logins[viewer] += 1
            token = f"token-{viewer}-{self.logins[viewer]}"
            self._tokens[token] = viewer
            return 200, {"token": token}
        found = self._tokens.get(request.headers["sessiontoken"])
        if found is None:
            return 401, {"code": 401, "message": "expired"}
        if last == "list":
            users = [int(each) for each in request.url.params["userIds"].split(",")]
            return 200, [shown for user in users if (shown := self._shown((found, user)))]
        key = found, self._user(request, last)
        if last in {"remove", "create"} and (last == "create") == bool(self.versions[key] % 2):
            self.versions[key] += 1
        if last == "remove":
            return 200, {"message": "removed"}
        return (200, shown) if (shown := self._shown(key)) else (404, {"code": 404, "message": "none"})

    def _shown(self, key: Key) -> dict[str, object] | None:
        version = self.versions[key]
        if version % 2:
            return None
        return {"userId": key[1], "status": "ACCEPTED", "requestCounter": counted(key, version)}

    def _user(self, request: httpx.Request, last: str) -> int:
        if last == "create":
            return int(msgspec.json.decode(request.content)["userId"])
        return int(request.url.path.split("/")[-2])

    async def _wait(self) -> None:
        is_slow = self._random.random() < self._slow
        await asyncio.sleep(self._random.uniform(0.2, 1.5) if is_slow else self._random.uniform(0.001, 0.05))


class _Wire(httpx.AsyncBaseTransport):
    def __init__(self, pod: Pod, replica: int) -> None:
        self._pod = pod
        self._replica = replica

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._pod.respond(self._replica, request)


def counted(key: Key, version: int) -> int:
    return (key[0] * 10_000 + key[1]) * 10_000 + version


def key_of(count: int) -> tuple[Key, int]:
    """The connection and the version that an answer shows."""
    names, version = divmod(count, 10_000)
    viewer, user = divmod(names, 10_000)
    return (viewer, user), version
