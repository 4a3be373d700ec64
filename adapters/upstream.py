"""One platform's wire as its adapter sees it: requests go out, answers or the contract's errors come back.

This is the only place where httpx's failures, and the statuses that mean the same on every platform, become
errors of the contract.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any, Final, TypeVar

import httpx
import msgspec

from adapters import contract
from adapters.extensions import BEFORE_IT_LEFT, LocalShortage, NameNotResolved, ProxyUnauthorized
from adapters.httpx_internals import BelowURL
from adapters.loop import OneLoop
from adapters.mismatch import mismatch
from adapters.refresh_token import RefreshTokens
from adapters.times import retry_after, rfc3339
from adapters.token_store import TokenStore
from adapters.tolerant_json import repaired
from adapters.user_ids import UserKey

T = TypeVar("T")

FAILURES: Final[dict[type[httpx.RequestError], tuple[type[contract.PlatformError], str]]] = {
    NameNotResolved: (contract.Unreachable, "the name could not be resolved"),
    LocalShortage: (contract.Overloaded, "the gateway has no room for another connection"),
    httpx.TimeoutException: (contract.DeadlineExceeded, "no answer in time"),
    httpx.ConnectError: (contract.Unreachable, "no connection"),
    ProxyUnauthorized: (contract.Unreachable, "the proxy wants credentials"),
    httpx.ProxyError: (contract.Unreachable, "the proxy gave no connection"),
    httpx.UnsupportedProtocol: (contract.Unreachable, "no way to speak this protocol"),
    httpx.TransportError: (contract.Unreachable, "the connection was lost before the answer was complete"),
    httpx.RequestError: (contract.InvalidAnswer, "the answer's body is too large, or not encoded as it says"),
}
"""What each failure of the wire means. The first row that a failure is an instance of counts."""

REFUSALS: Final = frozenset({400, 403, 404, 413, 414})
"""Statuses that refuse a request as a whole, whoever it is about."""

FORBIDDEN: Final = "the platform answered 403"
_THROTTLED_WITHOUT_HINT: Final = 1.0
_SHORTAGE_LASTS: Final = 1.0
"""Seconds after which a call may find room."""
_NOTHING: Final = httpx.ByteStream(b"")


class Base:
    """Where all of a platform's paths begin, and how JSON is asked for there.

    A path is ours: it needs no escaping, and may have a query. `users` are those whom the request is about: one of
    them may be why it fails, and that must not count against the platform more than once.
    """

    def __init__(self, url: str) -> None:
        self._url = httpx.URL(url)
        self._headers = httpx.Headers({"Host": self._url.netloc.decode("ascii"), "Accept": "application/json"})

    def get(self, path: str, users: Collection[UserKey] = ()) -> httpx.Request:
        """As httpx would make it by itself, in a third of the time: a test compares the two."""
        url = BelowURL(self._url, path)
        extensions = {"safe": True, "users": tuple(users)}
        request = httpx.Request("GET", url, headers=self._headers, stream=_NOTHING, extensions=extensions)
        request.read()
        return request

    def post(self, path: str, body: Any, users: Collection[UserKey] = ()) -> httpx.Request:
        """A read that is a POST, because what it asks would be too long for a URL. `body` leaves as JSON."""
        return self._request("POST", path, body, {"safe": True, "users": tuple(users)})

    def acting(self, method: str, path: str, user: UserKey, body: Any = None) -> httpx.Request:
        """The one call that carries out an action on `user`: it is never repeated, and may have acted if it fails."""
        return self._request(method, path, body, {"safe": False, "acts": True, "users": (user,)})

    def _request(self, method: str, path: str, body: Any, extensions: dict[str, Any]) -> httpx.Request:
        url = BelowURL(self._url, path)
        return httpx.Request(method, url, headers=self._headers, json=body, extensions=extensions)


class Upstream(OneLoop):
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
        warn: Callable[[str], None] = lambda _event: None,
        logged_in: Callable[[str], None] = lambda _outcome: None,
        refresh_tokens: RefreshTokens | None = None,
        tokens: TokenStore | None = None,
    ) -> None:
        self.platform = platform
        self.now = now
        self.warn = warn
        """tells the operator, in a word, what went wrong beside the answers; may be called from any thread"""
        self.logged_in = logged_in
        """told how each login ended: `ok`, `refused` or `failed`"""
        self.refresh_tokens = refresh_tokens or RefreshTokens()
        """those that are in use, also by an adapter that this one replaces"""
        self.tokens = tokens
        """where sessions share theirs with other processes"""
        self._transport = transport
        self._timeout = timeout

    def as_of(self) -> str:
        """Now, as answers write it."""
        return rfc3339(int(self.now() * 1000))

    async def send(self, request: httpx.Request, viewer: contract.Viewer | None = None) -> httpx.Response:
        """The platform's answer, its body read, whatever its status. A login has no viewer yet."""
        now = self._loop.time()
        request.extensions["begun"], request.extensions["deadline"] = now, now + self._timeout
        request.extensions["viewer"] = viewer
        try:
            return await self._transport.handle_async_request(request)
        except httpx.RequestError as failure:
            kind, detail = next(row for error, row in FAILURES.items() if isinstance(failure, error))
            may_have_acted = _acts(request) and not isinstance(failure, BEFORE_IT_LEFT)
            later = _SHORTAGE_LASTS if kind is contract.Overloaded else None
            raise kind(self.platform, detail, may_have_acted=may_have_acted, retry_after=later) from failure

    def decode(self, response: httpx.Response, decoder: msgspec.json.Decoder[T]) -> T:
        """The body as `decoder` types it; InvalidAnswer names the place where it doesn't fit."""
        decoded = self.decode_part(response.content, decoder)
        if isinstance(decoded, contract.InvalidAnswer):
            raise self.invalid(decoded.detail, response)
        return decoded

    def decode_part(self, part: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[T]) -> T | contract.InvalidAnswer:
        """One part of an answer, or what is wrong with it, so that one that makes no sense spoils no other.

        What is wrong with a field that is not in the type does not count.
        """
        # No failure's text is kept: msgspec may quote what the platform sent.
        try:
            return decoder.decode(part)
        except (msgspec.ValidationError, RecursionError) as failure:
            return self.invalid(_describe(failure))
        except (msgspec.MsgspecError, UnicodeDecodeError) as failure:
            strict = repaired(bytes(part))
            if strict is None:
                return self.invalid(_describe(failure))
        try:
            return decoder.decode(strict)
        except (msgspec.MsgspecError, RecursionError) as failure:
            return self.invalid(_describe(failure))

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
        self.own_error(response, error)

    def own_error(self, response: httpx.Response, decoder: msgspec.json.Decoder[T]) -> T:
        """The platform's own error body. A refusal without one is somebody else's: no less a refusal, but invalid."""
        error = self.decode_part(response.content, decoder)
        if isinstance(error, contract.InvalidAnswer):
            raise self.foreign_error(response)
        return error

    def refused_login(
        self, response: httpx.Response, refused: contract.PlatformError, *errors: msgspec.json.Decoder[Any]
    ) -> contract.PlatformError:
        """`refused`, unless it is a 403 whose body is none of these `errors`: that says nothing of the credential."""
        bodies = (self.decode_part(response.content, error) for error in errors)
        if response.status_code != httpx.codes.FORBIDDEN:
            return refused
        if not all(isinstance(body, contract.InvalidAnswer) for body in bodies):
            return refused
        return self.foreign_error(response)

    def foreign_error(self, response: httpx.Response) -> contract.InvalidAnswer:
        status = response.status_code
        refusal = status if status in REFUSALS else None
        detail = f"the {status} is not the platform's own: is base_url right, or does a machine in between answer?"
        return self.invalid(detail, response, refusal)

    def invalid(
        self, detail: str, response: httpx.Response | None = None, refusal: int | None = None
    ) -> contract.InvalidAnswer:
        """What is wrong with an answer; `response` where it is the whole answer, which may be that to an action."""
        acts = response is not None and _acts(response.request)
        return contract.InvalidAnswer(self.platform, detail, refusal=refusal, may_have_acted=acts)

    def failure(self, response: httpx.Response, forbidden: str = FORBIDDEN) -> contract.PlatformError:
        """What a status means that the adapter gives no meaning of its own; `forbidden` explains its 403."""
        later = retry_after(response.headers.get("retry-after"), self.now())
        status = response.status_code
        refusal = status if status in REFUSALS else None
        match status:
            case 403:
                return contract.Forbidden(self.platform, forbidden, refusal=refusal)
            case 404:
                return self.invalid("the platform does not know this path: is base_url right?", response, refusal)
            case 408:
                detail = "the platform closed the connection before it had the request (408)"
                return contract.Unreachable(self.platform, detail, may_have_acted=_acts(response.request))
            case 429:
                wait = _THROTTLED_WITHOUT_HINT if later is None else later
                return contract.Throttled(self.platform, "the platform throttles", retry_after=wait)
            case _ if 500 <= status <= 599:
                detail = f"the platform answered {status}"
                acts = _acts(response.request)
                return contract.ServerError(self.platform, detail, retry_after=later, may_have_acted=acts)
            case _:
                redirects = 300 <= status <= 399
                meaning = f"the platform redirects ({status}): is base_url right?"
                return self.invalid(
                    meaning if redirects else f"status {status} has no meaning here", response, refusal
                )


def _acts(request: httpx.Request) -> bool:
    """Whether this is the call of an action that carries it out. Those before it, and logins, only prepare it."""
    return "acts" in request.extensions


def _describe(failure: Exception) -> str:
    if isinstance(failure, msgspec.ValidationError):
        place, what = mismatch(failure, "unexpected value")
        return f"the answer breaks the contract: {what}{place and f' at {place}'}"
    return "the answer is not the JSON that was expected"
