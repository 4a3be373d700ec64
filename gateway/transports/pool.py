"""The innermost transport: the connections to one platform, over aiohttp.

Here a request leaves, so here it is known whether it did. A failure is either one from before that (`ConnectError`,
`ConnectTimeout`, `PoolTimeout`, `ProxyError`, `UnsupportedProtocol`) or one from after (`WriteError`, `ReadError`,
`ReadTimeout`, `RemoteProtocolError`). Answers are read whole: what goes wrong in a body goes wrong here.
"""

from __future__ import annotations

import asyncio
import contextvars
import select
import ssl
from enum import Enum, auto
from typing import Any, Final

import aiohttp
import httpx
from yarl import URL

from adapters.loop import OneLoop
from gateway import __version__
from gateway.transports.answer import ACCEPTED_ENCODING, read_whole
from gateway.transports.failures import FAILURES, translated

USER_AGENT: Final = f"connection-gateway/{__version__}"
_OURS: Final = (("User-Agent", USER_AGENT), ("Accept-Encoding", ACCEPTED_ENCODING))
IDLE_FOR: Final = 15.0
"""Seconds that a connection is kept for the next call. Servers close theirs after 5 to 75 s."""
MAX_HEADER: Final = 32 * 1024
"""Bytes of one header line of an answer."""


class _Stage(Enum):
    QUEUED = auto()
    CONNECTING = auto()
    SENT = auto()
    """it has a connection of its own: from here on the platform may see it"""


_PASSED: Final[dict[_Stage, type[httpx.TimeoutException]]] = {
    _Stage.QUEUED: httpx.PoolTimeout,
    _Stage.CONNECTING: httpx.ConnectTimeout,
    _Stage.SENT: httpx.ReadTimeout,
}
"""What the passing of the deadline is called, by how far the request had come."""


class _Attempt:
    """How far one request has come."""

    __slots__ = ("stage",)

    def __init__(self) -> None:
        self.stage = _Stage.QUEUED


_ATTEMPT: Final[contextvars.ContextVar[_Attempt]] = contextvars.ContextVar("attempt")
"""That of the running task: aiohttp has no other way to tell its connector."""


class Pool(OneLoop, httpx.AsyncBaseTransport):
    """At most `limit` connections; `tls` says whom to trust, `proxy` is a URL. Opened by its first request.

    Needs `deadline` (`loop.time()`) among the request's extensions. Raises httpx.DecodingError for a body that is
    too long or not encoded as it says, and otherwise nothing but the errors above.
    """

    def __init__(self, *, limit: int, tls: ssl.SSLContext, proxy: str | None = None) -> None:
        self._limit = limit
        self._tls = tls
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        deadline = request.extensions["deadline"]
        attempt = _Attempt()
        _ATTEMPT.set(attempt)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        if deadline <= self._loop.time():
            raise httpx.PoolTimeout("the deadline had passed", request=request)
        if self._closed:
            raise httpx.ConnectError("the pool was closed", request=request)
        session = self._session or self._open()
        try:
            async with asyncio.timeout_at(deadline):
                answer = await session.request(
                    request.method,
                    URL(str(request.url), encoded=True),
                    headers=[*headers, *_OURS],
                    data=request.content or None,
                    allow_redirects=False,
                    proxy=self._proxy,
                )
                try:
                    return await read_whole(request, answer.status, answer.raw_headers, answer.content.iter_any())
                finally:
                    answer.close()
        except TimeoutError as timeout:
            raise _PASSED[attempt.stage]("the deadline passed", request=request) from timeout
        except tuple(FAILURES) as failure:
            raise translated(failure, sent=attempt.stage is _Stage.SENT, request=request) from failure

    async def aclose(self) -> None:
        self._closed = True
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Only now, because aiohttp wants a running loop."""
        self._session = aiohttp.ClientSession(
            connector=_Connector(limit=self._limit, ssl=self._tls, keepalive_timeout=IDLE_FOR),
            timeout=aiohttp.ClientTimeout(),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            auto_decompress=False,
            trust_env=False,
            max_line_size=MAX_HEADER,
            max_field_size=MAX_HEADER,
        )
        # It sends a GET again by itself, where a connection that was reused breaks: what is repeated is a policy's
        # affair. There is no public switch; a test counts requests, and the version is pinned.
        self._session._retry_connection = False  # noqa: SLF001
        return self._session


class _Connector(aiohttp.TCPConnector):
    """It notes how far a request has come, and hands out no connection that has anything to say already."""

    async def connect(self, req: aiohttp.ClientRequest, *args: Any, **named: Any) -> Any:
        attempt = _ATTEMPT.get()
        while True:
            attempt.stage = _Stage.QUEUED
            connection = await self._turn(req, *args, **named)
            if attempt.stage is _Stage.CONNECTING or _is_quiet(connection):
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


def _is_quiet(idle: Any) -> bool:
    """Whether nothing came while it was idle: neither its end nor an answer, which would be taken for the next one's.

    The loop may not have heard of it yet, so the socket is asked (2 µs).
    """
    if idle.protocol.should_close:
        return False
    poll = select.poll()
    poll.register(idle.transport.get_extra_info("socket").fileno(), select.POLLIN)
    return not poll.poll(0)
