"""The innermost transport: the connections to one platform, over aiohttp.

Long, because all that is private of aiohttp is used here and nowhere else.

Here a request leaves, so here it is known whether it did. A failure is either one from before that (`ConnectError`,
`ConnectTimeout`, `PoolTimeout`, `ProxyError`, `UnsupportedProtocol`) or one from after (`WriteError`, `ReadError`,
`ReadTimeout`, `RemoteProtocolError`). Answers are read whole: what goes wrong in a body goes wrong here.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import random
import re
import select
import socket
import ssl
from enum import Enum, auto
from typing import Any, Final

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from adapters.call import NameNotResolved
from adapters.loop import OneLoop
from gateway import __version__
from gateway.transports.errors import FAILURES, translated
from gateway.transports.resolver import Resolver
from gateway.transports.response import ACCEPTED_ENCODING, read_whole

USER_AGENT: Final = f"connection-gateway/{__version__}"
_OURS: Final = f"User-Agent: {USER_AGENT}\r\nAccept-Encoding: {ACCEPTED_ENCODING}\r\n\r\n".encode()
MAX_AGE: Final = 60.0
"""Seconds, give or take a tenth, after which a connection is replaced, so that a platform that moves is followed."""
MAX_INTERIM: Final = 16
"""Interim answers (1xx) to one request."""
_RESOLVING: Final = 0.75
"""The share of a call's time that a name may take, so that it can be said that it was the name."""
_SLICE: Final = 2048
"""Bytes that are read at once while only interim answers have come."""
IDLE_FOR: Final = 15.0
"""Seconds that a connection is kept for the next call. Servers close theirs after 5 to 75 s."""
MAX_HEADER: Final = 32 * 1024
"""Bytes of one header line of an answer."""
_READ_HEADERS: Final = 2000
"""Fields that are read before it is said that there are too many: beyond that it is no answer at all."""
_breaks_out: Final = re.compile(rb"[\r\n\0]").search
_SCHEMES: Final = frozenset({"http", "https"})
_INTERIM: Final = frozenset(range(100, 200)) - {101}
"""Statuses of answers that another one follows."""
_NO_TIMEOUTS: Final = aiohttp.ClientTimeout()
"""The deadline is kept here."""


class _Stage(Enum):
    QUEUED = auto()
    RESOLVING = auto()
    CONNECTING = auto()
    SENT = auto()
    """it has a connection of its own: from here on the platform may see it"""


_PASSED: Final[dict[_Stage, type[httpx.TransportError]]] = {
    _Stage.QUEUED: httpx.PoolTimeout,
    _Stage.RESOLVING: NameNotResolved,
    _Stage.CONNECTING: httpx.ConnectTimeout,
    _Stage.SENT: httpx.ReadTimeout,
}
"""What the passing of the deadline is called, by how far the request had come."""


class _Attempt:
    """How far one request has come."""

    __slots__ = ("deadline", "stage")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.stage = _Stage.QUEUED


_ATTEMPT: Final[contextvars.ContextVar[_Attempt]] = contextvars.ContextVar("attempt")
"""That of the running task: aiohttp has no other way to tell its connector."""


class Pool(OneLoop, httpx.AsyncBaseTransport):
    """At most `limit` connections; `tls` says whom to trust, `proxy` is a URL. Opened by its first request.

    Needs `deadline` (`loop.time()`) among the request's extensions. Raises httpx.DecodingError for a body that is
    too long or not encoded as it says, and otherwise nothing but the errors above.

    Connections (names, TLS, proxies, who waits for one) and the parsing of answers are aiohttp's. Its ClientSession
    is left out: what it does for each call (cookies, redirects, a URL and headers of its own) took half of a call.
    """

    def __init__(
        self, *, limit: int, tls: ssl.SSLContext, proxy: str | None = None, resolver: Resolver | None = None
    ) -> None:
        self._limit = limit
        self._resolver = resolver or Resolver()
        self._tls = tls
        self._proxy = None if proxy is None else URL(proxy)
        self._connector: _Connector | None = None
        self._hosts: dict[tuple[bytes, bytes], _Host] = {}
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        deadline = request.extensions["deadline"]
        attempt = _Attempt(deadline)
        _ATTEMPT.set(attempt)
        if deadline <= self._loop.time():
            raise httpx.PoolTimeout("the deadline had passed", request=request)
        if self._closed:
            raise httpx.ConnectError("the pool was closed", request=request)
        try:
            async with asyncio.timeout_at(deadline):
                return await self._exchange(request)
        except TimeoutError as timeout:
            raise _PASSED[attempt.stage]("the deadline passed", request=request) from timeout
        except tuple(FAILURES) as failure:
            raise translated(failure, sent=attempt.stage is _Stage.SENT, request=request) from failure

    def trust(self, tls: ssl.SSLContext) -> None:
        """Let `tls` say whom to trust from now on: calls in flight finish, other connections are made anew."""
        self._tls = tls
        self._hosts.clear()

    async def aclose(self) -> None:
        self._closed = True
        if self._connector is not None:
            await self._connector.close()
        await self._resolver.aclose()

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        host = self._host(request.url)
        connector = self._connector or self._open()
        connection = await connector.connect(host.asked, [], _NO_TIMEOUTS)
        is_over = False
        try:
            protocol, transport = connection.protocol, connection.transport
            protocol.set_response_params(
                skip_payload=request.method == "HEAD",
                read_until_eof=True,
                auto_decompress=False,
                max_line_size=MAX_HEADER,
                max_field_size=MAX_HEADER,
                max_headers=_READ_HEADERS,
            )
            if transport is None or transport.is_closing():
                raise aiohttp.ClientConnectionResetError("it was closed before anything was written")
            transport.write(host.written(request))
            message, body = await protocol.read()
            while message.code in _INTERIM:
                message, body = await protocol.read()
            if message.code == 407 and host.is_proxied:
                raise aiohttp.ClientHttpProxyError(host.asked.request_info, (), status=407)
            answer = await read_whole(request, message.code, message.raw_headers, body.readany)
            is_over = body.at_eof() and not transport.get_write_buffer_size()
        finally:
            if is_over:
                connection.release()
            else:
                connection.close()
        return answer

    def _open(self) -> _Connector:
        """Only now, because aiohttp wants a running loop."""
        self._connector = _Connector(
            limit=self._limit,
            keepalive_timeout=IDLE_FOR,
            resolver=_Names(self._resolver),
            use_dns_cache=False,
        )
        return self._connector

    def _host(self, url: httpx.URL) -> _Host:
        where = (url.raw_scheme, url.netloc)
        host = self._hosts.get(where)
        if host is None:
            host = self._hosts[where] = _Host(url, self._proxy, self._tls)
        return host


class _Host:
    """One of the few to whom requests go (a platform may have its logins elsewhere), and how they are written there.

    Raises aiohttp.InvalidURL where the URL leads nowhere.
    """

    def __init__(self, url: httpx.URL, proxy: URL | None, tls: ssl.SSLContext) -> None:
        base = f"{url.scheme}://{url.netloc.decode('ascii')}"
        if url.scheme not in _SCHEMES or not url.host:
            raise aiohttp.InvalidURL(base)
        loop = asyncio.get_running_loop()
        self.asked = aiohttp.ClientRequest("GET", URL(f"{base}/", encoded=True), proxy=proxy, ssl=tls, loop=loop)
        """what aiohttp connects for: whom it leads to is all that counts of it, and none of it is sent

        Connections are kept by it, `tls` included: one that was made under another context is never handed out.
        """
        self.is_proxied = proxy is not None and url.scheme == "http"
        """by a proxy that is no tunnel, and answers itself what it does not pass on"""
        self._before_path = base.encode() if self.is_proxied else b""
        """such a proxy must know where to"""

    def written(self, request: httpx.Request) -> bytes:
        """The request as it goes over the wire. Raises ValueError for a header that would be more than one line."""
        parts = [request.method.encode("ascii"), b" ", self._before_path, request.url.raw_path, b" HTTP/1.1\r\n"]
        for name, value in request.headers.raw:
            if _breaks_out(value) or _breaks_out(name):
                raise ValueError("a header that is more than one line")
            parts += (name, b": ", value, b"\r\n")
        parts += (_OURS, request.content)
        return b"".join(parts)


class _Names(AbstractResolver):
    """The platform's resolver as aiohttp asks for it."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        attempt = _ATTEMPT.get()
        attempt.stage = _Stage.RESOLVING
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(now + _RESOLVING * (attempt.deadline - now)):
                found = await self._resolver.addresses(host)
        except TimeoutError:
            raise OSError("the name was not resolved in time") from None
        attempt.stage = _Stage.CONNECTING
        return [
            ResolveResult(
                hostname=host,
                host=address.text,
                port=port,
                family=address.family,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
            if family in {socket.AF_UNSPEC, address.family}
        ]

    async def close(self) -> None:
        """The pool closes it."""


class _Protocol(ResponseHandler):
    """A connection that knows its age, and takes only so many interim answers."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.retires_at = loop.time() + MAX_AGE * random.uniform(0.9, 1.1)  # noqa: S311  so that not all go at once
        self._interim = 0
        """answers in a row that another one follows"""

    def data_received(self, data: bytes) -> None:
        """aiohttp makes objects of all answers in `data` at once, so interim ones are given to it piece by piece."""
        if not self._interim and not data.startswith(b"HTTP/1.1 1"):
            super().data_received(data)
            return
        for at in range(0, len(data), _SLICE):
            if self.transport is None or self.transport.is_closing():
                return
            super().data_received(data[at : at + _SLICE])

    def feed_data(self, data: Any, size: int = 0) -> None:
        super().feed_data(data, size)
        self._interim = self._interim + 1 if data[0].code in _INTERIM else 0
        if self._interim > MAX_INTERIM and self.transport is not None:
            self.transport.abort()
            self.set_exception(HttpProcessingError(message=f"more than {MAX_INTERIM} interim answers"))


class _Connector(aiohttp.TCPConnector):
    """It notes how far a request has come, and hands out no connection that is old or has anything to say already."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._factory = functools.partial(_Protocol, loop=self._loop)  # type: ignore[assignment]  # a narrower one

    async def connect(self, req: aiohttp.ClientRequest, *args: Any, **named: Any) -> Any:
        attempt = _ATTEMPT.get()
        while True:
            attempt.stage = _Stage.QUEUED
            connection = await self._turn(req, *args, **named)
            if attempt.stage is not _Stage.QUEUED or _is_usable(connection):
                attempt.stage = _Stage.SENT
                return connection
            connection.close()

    async def _turn(self, req: aiohttp.ClientRequest, *args: Any, **named: Any) -> Any:
        try:
            return await super().connect(req, *args, **named)
        except asyncio.CancelledError as cancelled:
            task = asyncio.current_task()
            if self.closed and task is not None and not task.cancelling():  # it was in the queue, not the task
                raise aiohttp.ClientConnectionError("the pool was closed") from cancelled
            self._release_waiter()  # if its turn had just come, aiohttp would give it to nobody
            raise

    def _release(self, key: Any, protocol: Any, **named: Any) -> None:
        if named.get("should_close"):
            protocol.abort()  # or it would stay until the platform has read what was written
        super()._release(key, protocol, **named)
        # Its parser would swallow half an answer that nobody asked for; without one, whatever comes is left over.
        protocol._parser = None  # noqa: SLF001

    async def _create_connection(self, *args: Any, **named: Any) -> Any:
        _ATTEMPT.get().stage = _Stage.CONNECTING
        return await super()._create_connection(*args, **named)


def _is_usable(idle: Any) -> bool:
    """Whether it is young enough, and nothing came while it was idle: neither its end nor an answer, which would be
    taken for the next one's.

    The loop may not have heard of it yet, so the socket is asked (2 µs).
    """
    if idle.protocol.should_close or idle.protocol.retires_at <= asyncio.get_running_loop().time():
        return False
    poll = select.poll()
    poll.register(idle.transport.get_extra_info("socket").fileno(), select.POLLIN)
    return not poll.poll(0)
