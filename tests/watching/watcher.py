"""A caller that watches, in process: it reads as fast as the test wants, and leaves when the test says so."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp, Message

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
Event = tuple[str, dict[str, Any]]


class Watcher:
    """`events` are those that were read: name and data."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.text = ""
        self.parts = 0
        self.reads = asyncio.Event()
        """cleared: the caller does not read"""
        self.reads.set()
        self._has_left = asyncio.Event()
        self._body: bytes | None = None
        self._task: asyncio.Future[None] | None = None

    @property
    def events(self) -> list[Event]:
        blocks = [block.splitlines() for block in self.text.split("\n\n")]
        return [
            (block[0].removeprefix("event: "), msgspec.json.decode(block[1].removeprefix("data: ")))
            for block in blocks
            if block and block[0].startswith("event: ")
        ]

    @property
    def comments(self) -> int:
        return self.text.count("\n\n: ")

    @property
    def statuses(self) -> dict[str, str]:
        """By platform and user, the status or the problem that was read last."""
        found = {}
        for name, data in self.events:
            if name != "goaway":
                word = data["status"] if name == "connection" else data["type"].rpartition("/")[2]
                found[f"{data['platform']}:{data['user_id']}"] = f"stale {word}" if data.get("stale") else word
        return found

    @property
    def reason(self) -> str | None:
        """Why it was ended."""
        reasons = [data["reason"] for name, data in self.events if name == "goaway"]
        return reasons[0] if reasons else None

    @property
    def is_over(self) -> bool:
        return self._task is not None and self._task.done()

    def watch(self, app: ASGIApp, *users: str, query: bool = False, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """Watch these users, each as `PLATFORM:USER_ID`, by POST or with a `query`."""
        targets = [dict(zip(("platform", "user_id"), each.split(":"), strict=True)) for each in users]
        self._body = b"" if query else msgspec.json.encode({"users": targets})
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET" if query else "POST",
            "scheme": "http",
            "path": "/v1/watch",
            "raw_path": b"/v1/watch",
            "query_string": "&".join(f"user={each}" for each in users).encode() if query else b"",
            "root_path": "",
            "headers": [
                (b"host", b"localhost:8080"),
                *((name.lower().encode(), value.encode()) for name, value in headers.items()),
            ],
            "server": ("localhost", 8080),
            "client": ("127.0.0.1", 50_000),
        }
        self._task = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def leave(self) -> None:
        self._has_left.set()
        self.reads.set()
        if self._task is not None:
            await self._task

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._has_left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self.reads.wait()
        if self._has_left.is_set():
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        elif message["body"]:
            self.text += message["body"].decode()
            self.parts += 1


@contextlib.asynccontextmanager
async def watching(
    app: ASGIApp, *users: str, query: bool = False, headers: Mapping[str, str] = NO_HEADERS
) -> AsyncIterator[Watcher]:
    """A caller that watches these users, and leaves at the end."""
    watcher = Watcher()
    watcher.watch(app, *users, query=query, headers=headers)
    try:
        yield watcher
    finally:
        await watcher.leave()
