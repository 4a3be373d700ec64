"""Everything that touches httpx's types, for both faces."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import httpx

from connection_gateway.attempts import Send
from connection_gateway.errors import GatewayUnreachable
from connection_gateway.protocol import Answer

SLACK = 0.25
"""Seconds by which the gateway's own deadline is given time to be answered."""


def split(url: str) -> tuple[str, str | None]:
    """The base URL, and the path of the Unix socket of `unix:/path`."""
    if url.startswith("unix:/"):
        return "http://localhost", url.removeprefix("unix:")
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"the gateway's URL can't be read: {error}") from error
    if (
        parsed.scheme not in {"http", "https"}
        or not parsed.host
        or parsed.userinfo
        or parsed.query
        or parsed.fragment
    ):
        raise ValueError("the gateway's URL is http://host:port, https://host or unix:/path, without a password")
    return url.rstrip("/"), None


def missing(socket: str | None) -> GatewayUnreachable | None:
    """If there is nothing at this path. Asked first, because httpcore leaves the socket open that can't connect."""
    if socket is None or Path(socket).exists():
        return None
    return GatewayUnreachable("the gateway can't be reached: there is no such socket; is it running?", sent=False)


def arguments(base: str, send: Send, headers: dict[str, str]) -> dict[str, Any]:
    """What httpx's `request` takes."""
    found = {**headers, "x-request-timeout-ms": str(max(1, math.floor(send.timeout * 1000)))}
    if send.request.body is not None:
        found["content-type"] = "application/json"
    return {
        "method": send.request.method,
        "url": base + send.request.path,
        "content": send.request.body,
        "headers": found,
        "timeout": send.timeout + SLACK,
    }


def answer(response: httpx.Response) -> Answer:
    """What came back. A `Retry-After` that is a date is not the gateway's, and tells nothing here."""
    text = response.headers.get("retry-after", "")
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    return Answer(response.status_code, seconds, response.content)


def failure(error: httpx.HTTPError | TimeoutError) -> GatewayUnreachable:
    """Nothing was sent if no connection was made."""
    sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    if isinstance(error, httpx.PoolTimeout):
        what = "too many calls of this client are under way"
    else:
        what = "the connection was lost, or no answer came in time" if sent else "is it running, and the URL right?"
    found = GatewayUnreachable(f"the gateway can't be reached: {what} ({type(error).__name__})", sent=sent)
    found.__cause__ = error
    _forget_frames(error)
    return found


def _forget_frames(error: BaseException) -> None:
    """Their locals have the headers, with the key: whatever reports exceptions with locals would report it."""
    cause: BaseException | None = error
    while cause is not None:
        cause.__traceback__ = None
        cause = cause.__cause__ or cause.__context__
