"""How an answer in lines is asked for and read: in process with the time of each part, or over a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import httpx
import msgspec

from tests.gateways import Gateway

NDJSON: Final = "application/x-ndjson"
LIST: Final = "/v1/connections"


def users(*named: str) -> bytes:
    """The body of a lookup of `acme/102`, …"""
    found = (name.split("/") for name in named)
    return msgspec.json.encode({"users": [{"platform": platform, "user_id": user} for platform, user in found]})


class Parts:
    """An answer of the app, part by part: when it came, and which lines it had."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers = httpx.Headers()
        self.parts: list[tuple[float, list[Any]]] = []
        self.is_whole = False

    @property
    def lines(self) -> list[Any]:
        return [line for _, lines in self.parts for line in lines]

    def times(self) -> list[float]:
        """When each line came."""
        return [time for time, lines in self.parts for _ in lines]

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = httpx.Headers(message["headers"])
            return
        body = message.get("body", b"")
        assert not body or body.endswith(b"\n") or self.status != 200
        found = [msgspec.json.decode(line) for line in body.splitlines()]
        if found:
            self.parts.append((asyncio.get_running_loop().time(), found))
        self.is_whole = not message.get("more_body", False)


async def ask(
    gateway: Gateway,
    path: str,
    body: bytes | None = None,
    send: Callable[[Any], Awaitable[None]] | None = None,
    **headers: str,
) -> Parts:
    """Ask the app itself, with no client that waits for the whole answer."""
    parts = Parts()
    path, _, query = path.partition("?")
    sent = {"Host": "localhost", "Accept": NDJSON, **headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET" if body is None else "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8080),
        "extensions": {},
    }
    messages = [{"type": "http.request", "body": body or b"", "more_body": False}]

    async def receive() -> Any:
        return messages.pop() if messages else await asyncio.Future()

    await gateway.app(scope, receive, send or parts.send)
    return parts


def indexes(lines: Sequence[Any]) -> list[int]:
    return [line["index"] for line in lines if "index" in line]
