"""All that is used of aiohttp beyond what it documents: its connector and its parser, without its ClientSession.

The session (cookies, redirects, a URL and headers of its own) took half of a call: `python -m benchmarks.wire` puts
the pool beside httpx's own. aiohttp is capped in `pyproject.toml` for the sake of these names. Each has a test below
`tests/transports/` that fails without it:

- `ResponseHandler`, made by `BaseConnector._factory`: a connection that knows its age (`test_pool_age.py`).
- `ResponseHandler._parser`: dropped while a connection is idle, so that what comes then is seen (`test_pool.py`).
- `BaseConnector._release`: closes a connection whose request was not finished at once (`test_pool_cancelled.py`).
- `BaseConnector._release_waiter`: passes on the turn of a caller that has left (`test_pool_cancelled.py`).
- `TCPConnector._create_connection`: from when on a timeout is one of connecting (`test_pool_before.py`).
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import random
import select
from enum import Enum, auto
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

MAX_AGE: Final = 60.0
"""Seconds, give or take a tenth, after which a connection is replaced, so that a platform that moves is followed."""
MAX_INTERIM: Final = 16
"""Interim answers (1xx) to one request."""
INTERIM: Final = frozenset(range(100, 200)) - {101}
"""Statuses of answers that another one follows."""
_SLICE: Final = 2048
"""Bytes that are read at once while only interim answers have come."""


class Stage(Enum):
    """How far a request has come."""

    QUEUED = auto()
    RESOLVING = auto()
    CONNECTING = auto()
    SENT = auto()
    """it has a connection of its own: from here on the platform may see it"""


class Attempt:
    """How far one request has come."""

    __slots__ = ("deadline", "stage")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.stage = Stage.QUEUED


ATTEMPT: Final[contextvars.ContextVar[Attempt]] = contextvars.ContextVar("attempt")
"""That of the running task: aiohttp has no other way to tell its connector."""


class ConnectionProtocol(ResponseHandler):
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
        self._interim = self._interim + 1 if data[0].code in INTERIM else 0
        if self._interim > MAX_INTERIM and self.transport is not None:
            self.transport.abort()
            self.set_exception(HttpProcessingError(message=f"more than {MAX_INTERIM} interim answers"))


class Connector(aiohttp.TCPConnector):
    """It notes how far a request has come, and hands out no connection that is old or has anything to say already."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._factory = functools.partial(ConnectionProtocol, loop=self._loop)  # type: ignore[assignment]  # a narrower one

    async def connect(self, req: aiohttp.ClientRequest, *args: Any, **named: Any) -> Any:
        attempt = ATTEMPT.get()
        while True:
            attempt.stage = Stage.QUEUED
            connection = await self._turn(req, *args, **named)
            if attempt.stage is not Stage.QUEUED or _is_usable(connection):
                attempt.stage = Stage.SENT
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
        ATTEMPT.get().stage = Stage.CONNECTING
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
