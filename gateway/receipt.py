"""When a request has been received whole. A POST does nothing before its body has been read to the end."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.problems import Kind, Problem
from gateway.telemetry.access import Access

MAX_BODY: Final = 256 * 1024


class Receipt:
    """Notes when the request was complete (deadlines count from then) and hands a POST on with its body.

    A caller who leaves before the end has asked for nothing, and gets nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "POST":
            try:
                receive = _replay(await _read(receive), receive)
            except ClientDisconnect:
                return
        Access.of(scope).received_at = asyncio.get_running_loop().time()
        await self._app(scope, receive, send)


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise Problem(
                Kind.PAYLOAD_TOO_LARGE,
                f"the body is larger than {MAX_BODY} bytes",
                headers={"connection": "close"},
            )
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
