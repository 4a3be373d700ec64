"""One platform's wire as its adapter sees it: requests go out, answers or the contract's errors come back.

This is the only place where httpx's failures, and the statuses that mean the same on every platform, become
errors of the contract.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Final, TypeVar

import httpx
import msgspec

from adapters import contract
from adapters.times import retry_after, rfc3339

T = TypeVar("T")

FAILURES: Final[dict[type[httpx.RequestError], tuple[type[contract.PlatformError], str]]] = {
    httpx.TimeoutException: (contract.DeadlineExceeded, "no answer in time"),
    httpx.ConnectError: (contract.Unreachable, "no connection"),
    httpx.ProxyError: (contract.Unreachable, "the proxy gave no connection"),
    httpx.UnsupportedProtocol: (contract.Unreachable, "no way to speak this protocol"),
    httpx.TransportError: (contract.Unreachable, "the connection was lost before the answer was complete"),
    httpx.RequestError: (contract.InvalidAnswer, "the answer's body is too large, or not encoded as it says"),
}
"""What each failure of the wire means. The first row that a failure is an instance of counts."""

FORBIDDEN: Final = "the platform answered 403"
_THROTTLED_WITHOUT_HINT: Final = 1.0
_SAFE_TO_QUOTE: Final = re.compile(r"(Expected `|Object missing required field `)")
_POSITION: Final = re.compile(r" - at `(\$[^`]*)`\Z")


class Upstream:
    """`send` and `decode` for one platform. Raises nothing but PlatformErrors that carry its name.

    Every call may take `timeout` seconds, counted from its own start; the transport keeps that deadline, which
    it finds as `loop.time()` in the request's extensions, beside the viewer.
    """

    def __init__(
        self,
        platform: str,
        transport: httpx.AsyncBaseTransport,
        *,
        timeout: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.platform = platform
        self.now = now
        self._transport = transport
        self._timeout = timeout

    def as_of(self) -> str:
        """Now, as answers write it."""
        return rfc3339(int(self.now() * 1000))

    async def send(self, request: httpx.Request, viewer: contract.Viewer | None = None) -> httpx.Response:
        """The platform's answer, its body read, whatever its status. A login has no viewer yet."""
        request.extensions["deadline"] = asyncio.get_running_loop().time() + self._timeout
        request.extensions["viewer"] = viewer
        try:
            return await self._transport.handle_async_request(request)
        except httpx.RequestError as failure:
            kind, detail = next(row for error, row in FAILURES.items() if isinstance(failure, error))
            raise kind(self.platform, detail) from failure

    def decode(self, response: httpx.Response, decoder: msgspec.json.Decoder[T]) -> T:
        """The body as `decoder` types it; InvalidAnswer names the place where it doesn't fit."""
        try:
            return decoder.decode(response.content)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as failure:
            # Not chained: msgspec's text may quote what the platform sent.
            raise self.invalid(_describe(failure)) from None

    def expect(self, response: httpx.Response, decoder: msgspec.json.Decoder[T], forbidden: str = FORBIDDEN) -> T:
        """The decoded body of a 200; any other status raises what it means."""
        if response.status_code != httpx.codes.OK:
            raise self.failure(response, forbidden=forbidden)
        return self.decode(response, decoder)

    async def expect_refusal(self, request: httpx.Request, error: msgspec.json.Decoder[T]) -> None:
        """Ask without a token, and be refused in the platform's own words: that is one, and it answers."""
        response = await self.send(request)
        if response.status_code not in {401, 403}:
            raise self.failure(response)
        self.decode(response, error)

    def invalid(self, detail: str) -> contract.InvalidAnswer:
        return contract.InvalidAnswer(self.platform, detail)

    def failure(self, response: httpx.Response, forbidden: str = FORBIDDEN) -> contract.PlatformError:
        """What a status means that the adapter gives no meaning of its own; `forbidden` explains its 403."""
        later = retry_after(response.headers.get("retry-after"), self.now())
        match response.status_code:
            case 403:
                return contract.Forbidden(self.platform, forbidden)
            case 404:
                return self.invalid("the platform does not know this path: is base_url right?")
            case 429:
                wait = _THROTTLED_WITHOUT_HINT if later is None else later
                return contract.Throttled(self.platform, "the platform throttles", retry_after=wait)
            case status if 500 <= status <= 599:
                return contract.ServerError(self.platform, f"the platform answered {status}", retry_after=later)
            case status:
                return self.invalid(f"status {status} has no meaning here")


def _describe(failure: Exception) -> str:
    text = str(failure)
    if isinstance(failure, msgspec.ValidationError):
        where = f" at {found[1]}" if (found := _POSITION.search(text)) else ""
        what = _POSITION.sub("", text) if _SAFE_TO_QUOTE.match(text) else "unexpected value"
        return f"the answer breaks the contract: {what[0].lower()}{what[1:]}{where}"
    return "the answer is not the JSON that was expected"
