"""A wire that does as it is told, and notes what left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import httpx

from adapters.contract import Viewer

Outcome = int | httpx.Response | type[httpx.RequestError]
"""A status, a whole answer, or a failure."""


class Wire(httpx.AsyncBaseTransport):
    """Each call takes `seconds` and ends as the next of `outcomes`; after the last of them, like the last."""

    def __init__(self, outcomes: Iterable[Outcome] = (200,), seconds: float = 0.0) -> None:
        self.outcomes = list(outcomes)
        self.seconds = seconds
        self.left: list[float] = []
        """when each call left"""
        self.under_way = 0
        self.most = 0
        """how many calls were under way at once, at most"""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        loop = asyncio.get_running_loop()
        self.left.append(loop.time())
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            seconds, left = self.seconds, request.extensions["deadline"] - loop.time()
            await asyncio.sleep(min(seconds, left))
            if seconds > left:
                raise httpx.ReadTimeout("the deadline passed", request=request)
        finally:
            self.under_way -= 1
        if isinstance(outcome, int):
            return httpx.Response(outcome, request=request)
        if isinstance(outcome, httpx.Response):
            return httpx.Response(outcome.status_code, headers=outcome.headers, request=request)
        raise outcome("scripted", request=request)

    @property
    def calls(self) -> int:
        return len(self.left)


def later(status: int, retry_after: str | None = None) -> httpx.Response:
    return httpx.Response(status, headers={} if retry_after is None else {"retry-after": retry_after})


async def ask(
    transport: httpx.AsyncBaseTransport,
    *,
    within: float = 2.0,
    safe: bool = True,
    viewer: Viewer | None = None,
    users: tuple[int, ...] = (),
    path: str = "/",
    waited: float = 0.0,
) -> httpx.Response:
    """`waited` seconds of `within` have gone by already."""
    begun = asyncio.get_running_loop().time() - waited
    extensions: dict[str, Any] = {
        "begun": begun,
        "deadline": begun + within,
        "safe": safe,
        "viewer": viewer,
        "users": users,
    }
    request = httpx.Request("GET", f"http://acme.example{path}", extensions=extensions)
    return await transport.handle_async_request(request)


async def outcome_of(transport: httpx.AsyncBaseTransport, **asked: Any) -> int | type[Exception]:
    """The status, or the type of what was raised."""
    try:
        return (await ask(transport, **asked)).status_code
    except Exception as error:  # noqa: BLE001  whatever it is, the test names it
        return type(error)


class Count:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def least(low: float, _high: float) -> float:
    """In the place of chance."""
    return low
