"""The innermost transport: the connections to one platform, over aiohttp.

Here a request leaves, so here it is known whether it did. A failure is either one from before that (`ConnectError`,
`ConnectTimeout`, `PoolTimeout`, `ProxyError`, `UnsupportedProtocol`) or one from after (`WriteError`, `ReadError`,
`ReadTimeout`, `RemoteProtocolError`). Answers are read whole: what goes wrong in a body goes wrong here.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from typing import Final

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from adapters.extensions import NameNotResolved
from adapters.loop import OneLoop
from gateway import __version__
from gateway.transports.aiohttp_internals import ATTEMPT, INTERIM, Attempt, Connector, Stage
from gateway.transports.errors import FAILURES, translated
from gateway.transports.resolver import Resolver
from gateway.transports.response import ACCEPTED_ENCODING, read_whole

USER_AGENT: Final = f"connection-gateway/{__version__}"
_OURS: Final = f"User-Agent: {USER_AGENT}\r\nAccept-Encoding: {ACCEPTED_ENCODING}\r\n\r\n".encode()
_RESOLVING: Final = 0.75
"""The share of a call's time that a name may take, so that it can be said that it was the name."""
IDLE_FOR: Final = 15.0
"""Seconds that a connection is kept for the next call. Servers close theirs after 5 to 75 s."""
MAX_HEADER: Final = 32 * 1024
"""Bytes of one header line of an answer."""
_READ_HEADERS: Final = 2000
"""Fields that are read before it is said that there are too many: beyond that it is no answer at all."""
_breaks_out: Final = re.compile(rb"[\r\n\0]").search
_SCHEMES: Final = frozenset({"http", "https"})
_NO_TIMEOUTS: Final = aiohttp.ClientTimeout()
"""The deadline is kept here."""


_PASSED: Final[dict[Stage, type[httpx.TransportError]]] = {
    Stage.QUEUED: httpx.PoolTimeout,
    Stage.RESOLVING: NameNotResolved,
    Stage.CONNECTING: httpx.ConnectTimeout,
    Stage.SENT: httpx.ReadTimeout,
}
"""What the passing of the deadline is called, by how far the request had come."""


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
        self._connector: Connector | None = None
        self._hosts: dict[tuple[bytes, bytes], _Host] = {}
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        deadline = request.extensions["deadline"]
        attempt = Attempt(deadline)
        ATTEMPT.set(attempt)
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
            raise translated(failure, sent=attempt.stage is Stage.SENT, request=request) from failure

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
            while message.code in INTERIM:
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

    def _open(self) -> Connector:
        """Only now, because aiohttp wants a running loop."""
        self._connector = Connector(
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
        attempt = ATTEMPT.get()
        attempt.stage = Stage.RESOLVING
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(now + _RESOLVING * (attempt.deadline - now)):
                found = await self._resolver.addresses(host)
        except TimeoutError:
            raise OSError("the name was not resolved in time") from None
        attempt.stage = Stage.CONNECTING
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
