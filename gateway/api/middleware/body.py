"""Reads a request's body to its end before anything else is done."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from gateway.problems.problem import Kind, Problem
from gateway.server.extensions import MAX_BODY


async def read_body(receive: Receive, most: int = MAX_BODY) -> Receive:
    """The same, once all of the body is there, which has at most so many bytes.

    Raises ClientDisconnect where the caller left before: it has asked for nothing, and gets nothing.
    """
    return _replay(await _read(receive, most), receive)


async def _read(receive: Receive, most: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > most:
            raise Problem(
                Kind.PAYLOAD_TOO_LARGE,
                f"the body is larger than {most} bytes",
                headers={"connection": "close"},
            )
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
