"""How tests send events: as the community does, and as nobody should."""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp, Message

from adapters.selfcommunity.webhook import sign

SECRET: Final = "secret-of-the-webhook-1d0c7b64"
PREVIOUS: Final = "secret-of-the-webhook-before-90ab"
HOST: Final = (b"host", b"gateway.example.com")
EVENTS: Final = {"club": {"secret": SECRET, "previous_secret": PREVIOUS}}


def event(event_id: int, *user_ids: int, kind: str = "connection.created") -> bytes:
    """The body of an event about the first user and the second."""
    users = dict(zip(("from_user", "to_user"), ({"id": each, "username": "x"} for each in user_ids), strict=False))
    return msgspec.json.encode({"event_id": event_id, "type": kind, "created": time.time(), "data": users})


def signed(body: bytes, *, secret: str = SECRET, ago: float = 0, scheme: str = "v1") -> str:
    sent_at = str(int(time.time() - ago))
    return f"t={sent_at},{scheme}={sign(secret.encode(), sent_at, body)}"


async def post(app: ASGIApp, body: bytes, signature: str | None, path: str = "/v1/events/club") -> tuple[int, Any]:
    """The status, and the problem if there is one. Without a client, which takes longer than what it asks for."""
    headers = [HOST] if signature is None else [HOST, (b"selfcommunity-signature", signature.encode())]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "server": ("gateway", 80),
        "client": ("127.0.0.1", 50_000),
    }
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    await app(scope, receive, send)
    content = said[1]["body"]
    return said[0]["status"], msgspec.json.decode(content) if content else None
