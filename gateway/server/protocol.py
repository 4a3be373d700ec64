"""The HTTP/1.1 protocol of one connection, for uvicorn: one request at a time, within bounds.

Long, because the states of one connection (head, body, response, lingering close) are one machine.

- A request is taken up when the response to the one before it has been written. What was read beyond it waits, and
  meanwhile nothing more is read, so that a caller can't send faster than it reads.
- A head and a body have `header_timeout` seconds each to arrive, and so has a caller to read what was written,
  counted from the first byte that it did not take. An idle connection is kept for `keep_alive_timeout` seconds.
- A head, and the trailers of a body, have at most `max_header_bytes` bytes and `MAX_HEADERS` fields.
- What is no request gets one response from the app (`REFUSED`), so that it is logged and counted. Then the connection
  is closed.
- A caller that has shut down its sending side gets its responses; then the connection is closed.

A GET begins in the callback that read it, without a task of its own unless a route asks for one (`in_a_task`).
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import math
from collections.abc import Callable, Coroutine
from enum import Enum, auto
from typing import Any, Final, NamedTuple, cast

import httptools
from uvicorn import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from gateway.config.settings import ServerSettings
from gateway.server.connection_limit import ConnectionLimit
from gateway.server.cycle import Cycle
from gateway.server.extensions import LET_IN, MAX_BODY, READY, REFUSED
from gateway.server.framing import Body, body_of
from gateway.server.head import NO_REQUEST, HeadReader, MalformedRequest
from gateway.server.lifecycle import Lifecycle

LINGER: Final = 5.0
"""Seconds that a caller which is still sending has to read that it is refused."""
_EXTENSIONS: Final[dict[str, dict[object, object]]] = {READY: {}}
_UNKNOWN: Final[dict[str, Any]] = {
    "method": "",
    "path": "",
    "raw_path": b"",
    "query_string": b"",
    "headers": [],
    "extensions": _EXTENSIONS,
}
"""What is known of what is no request."""


class Limits(NamedTuple):
    """What a caller may take, as the configuration has it."""

    header_timeout: float
    keep_alive_timeout: float
    max_header_bytes: int

    @classmethod
    def of(cls, settings: ServerSettings) -> Limits:
        return cls(settings.header_timeout, settings.keep_alive_timeout, settings.max_header_bytes)


class Waits(Enum):
    """What a connection waits for."""

    HEAD = auto()
    BODY = auto()
    RESPONSE = auto()
    NOTHING = auto()
    """the next request, if there is one"""


class Protocol(asyncio.Protocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: Limits,
        lifecycle: Lifecycle,
        connections: ConnectionLimit,
    ) -> None:
        self.loop = _loop or asyncio.get_running_loop()
        self.cycle: Cycle | None = None
        self._app = config.loaded_app
        self._root_path = config.root_path
        self._asgi = {"version": config.asgi_version, "spec_version": "2.3"}
        self._app_state = app_state
        self._server_state = server_state
        self._logger = logging.getLogger("uvicorn.error")
        self._limits = limits
        self._lifecycle = lifecycle
        self._connections = connections
        self._is_let_in = False
        self._head = HeadReader(limits.max_header_bytes)
        self._body: Body | None = None
        """of the request whose body is still being read"""
        self._discarded = 0
        """bytes that came after the response to what they belong to"""
        self._buffer = b""
        """what was read last"""
        self._at = 0
        """how far it has been taken up"""
        self._goes_on_soon = False
        self._is_broken = False
        """nothing more that comes can be understood"""
        self._has_ended = False
        """the caller will send nothing more"""
        self._waits = Waits.HEAD
        self._until = self._read_until = math.inf
        """when it has waited long enough, and when its caller must have read what was written"""
        self._timer: asyncio.TimerHandle | None = None
        self._fires_at = math.inf

    # the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport = cast("asyncio.Transport", transport)
        transport.set_write_buffer_limits(high=0)  # so that `pause_writing` tells of the first byte that is not taken
        self.flow = FlowControl(transport)
        self._server = get_local_addr(transport)
        self._client = get_remote_addr(transport)
        self._server_state.connections.add(self)  # type: ignore[arg-type]  # all that the server calls is here
        self._wait_for(Waits.HEAD, self._limits.header_timeout)
        self._connections.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self._server_state.connections.discard(self)
        self._connections.remove(self)
        if self.cycle is not None:
            self.cycle.disconnected = not self.cycle.response_complete
            self.cycle.notify()
        self.flow.resume_writing()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._buffer = b""
        self._head.close()
        self.cycle = None  # which refers back

    def evict(self) -> None:
        """Close it for the sake of others: what is under way is lost."""
        self.transport.abort()

    @property
    def is_idle(self) -> bool:
        return self._waits is Waits.NOTHING

    @property
    def has_asked(self) -> bool:
        return self.cycle is not None

    def shutdown(self) -> None:
        """Close it when the response that is due has been written."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
        else:
            self.cycle.keep_alive = False

    def end_with_what_is_under_way(self) -> None:
        """What is asked next will be the last by itself: it finds the process draining."""
        if self.cycle is not None:
            self.cycle.keep_alive = False

    # reading

    def data_received(self, data: bytes) -> None:
        if self._is_broken:
            self._discarded += len(data)
            if self._discarded > MAX_BODY:
                self.transport.abort()
            return
        if self._waits is Waits.NOTHING:
            self._wait_for(Waits.HEAD, self._limits.header_timeout)
        self._buffer = self._buffer[self._at :] + data if self._at < len(self._buffer) else data
        self._at = 0
        self._go_on()

    def eof_received(self) -> bool:
        """Returns whether the connection stays, as asyncio has it: as long as a response is due."""
        self._has_ended = True
        if self._at < len(self._buffer) or (self._body is None and not self._is_over()):
            return True
        self._disconnect()
        return False

    def _go_on(self) -> None:
        """Take up what was read, as far as the head of one request: the loop has others to look after.

        The app sees a head before its body is looked at, so that it makes no difference whether both came together.
        """
        has_begun = False
        try:
            while self._at < len(self._buffer) and not self.transport.is_closing() and not self._is_broken:
                if has_begun or self._app_is_next():
                    self.flow.pause_reading()
                    self._go_on_soon()
                    return
                if self._body is not None:
                    self._read_body(self._body)
                elif self.flow.write_paused or not self._is_over():
                    self.flow.pause_reading()
                    return
                else:
                    has_begun = self._read_head()
        except MalformedRequest as error:
            self._refuse(str(error))
            return
        if self._at == len(self._buffer):
            self._buffer, self._at = b"", 0
            if self._has_ended:
                self._end()
            elif self._body is not None and self.cycle is not None and len(self.cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()  # until the app has taken it
            elif self.flow.read_paused:
                self.flow.resume_reading()

    def _app_is_next(self) -> bool:
        """Whether the app has not begun with the request whose body comes."""
        return self._body is not None and self.cycle is not None and not self.cycle.has_begun

    def _end(self) -> None:
        """Nothing more will come. A request that has come whole gets its response first."""
        if self._body is not None or self._is_over():
            self._disconnect()

    def _go_on_soon(self) -> None:
        if not self._goes_on_soon:
            self._goes_on_soon = True
            self.loop.call_soon(self._go_on_now)

    def _go_on_now(self) -> None:
        self._goes_on_soon = False
        self._go_on()

    def _read_head(self) -> bool:
        """Whether it is complete, and the request has begun."""
        end = self._head.feed(self._buffer, self._at)
        if end < 0:
            self._at = len(self._buffer)
            return False
        self._at = end
        scope = self._scope()
        head = self._head
        if head.body_length:
            self._body = body_of(head.body_length, self._limits.max_header_bytes)
            self._discarded = 0
            self._wait_for(Waits.BODY, self._limits.header_timeout)
        else:
            self._wait_for_the_response()
        cycle = self._new_cycle(
            scope,
            keep_alive=head.keep_alive and not self._lifecycle.ends_connections,
            expects_continue=head.expects_continue,
            has_body=self._body is not None,
        )
        if head.method == "GET":
            self._run(cycle.run_asgi(self._app), contextvars.copy_context())
        else:
            self._start(cycle)
        return True

    def _read_body(self, body: Body) -> None:
        content, self._at = body.feed(self._buffer, self._at)
        cycle = self.cycle
        assert cycle is not None  # noqa: S101  whose body it is
        if body.complete:
            self._body = None
        if cycle.is_over:
            self._discarded += len(content)
            if self._discarded > MAX_BODY:
                self.transport.close()
            elif body.complete:
                self._wait_for_the_next()
            return
        cycle.body += content
        cycle.more_body = not body.complete
        if content or body.complete:
            cycle.notify()
        if body.complete:
            self._wait_for_the_response()

    def _scope(self) -> Any:
        head = self._head
        try:
            url = httptools.parse_url(head.target)
        except httptools.HttpParserInvalidURLError:
            raise MalformedRequest(NO_REQUEST) from None
        if url.schema or b"#" in head.target or url.path is None:
            _check_target(head)
        path = url.path or b"/"
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": self._asgi,
            "http_version": head.http_version,
            "server": self._server,
            "client": self._client,
            "scheme": "http",
            "root_path": self._root_path,
            "method": head.method,
            "path": path.decode("ascii"),
            "raw_path": path,
            "query_string": url.query or b"",
            "headers": head.headers,
            "extensions": _EXTENSIONS,
            "state": self._app_state.copy(),
        }
        if not self._is_let_in:
            scope[LET_IN] = self._let_in
        return scope

    def _let_in(self) -> None:
        """A request was let in to the API: this is no stranger's connection."""
        self._is_let_in = True
        self._connections.trust(self)

    def _is_over(self) -> bool:
        """Whether no response is due."""
        cycle = self.cycle
        return cycle is None or cycle.response_complete or cycle.disconnected

    def _disconnect(self) -> None:
        """The caller is gone, or will say no more."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.notify()
        self.transport.close()

    # running the app

    def _new_cycle(
        self, scope: Any, *, keep_alive: bool, expects_continue: bool = False, has_body: bool = False
    ) -> Cycle:
        may_be_last = has_body or not keep_alive
        self.cycle = cycle = Cycle(
            scope,
            _LastWords(self.transport, self._linger) if may_be_last else self.transport,
            self.flow,
            logger=self._logger,
            default_headers=self._server_state.default_headers,
            on_response=self._on_response,
            keep_alive=keep_alive,
            expects_continue=expects_continue,
            has_body=has_body,
        )
        return cycle

    def _start(self, cycle: Cycle) -> None:
        self._keep(self.loop.create_task(cycle.run_asgi(self._app)))

    def _run(self, running: Coroutine[Any, Any, None], context: contextvars.Context, _done: object = None) -> None:
        """Until it is over, waits for a future, or gives way."""
        try:
            awaited = context.run(running.send, None)
        except StopIteration:
            return
        if awaited is not None:
            awaited.add_done_callback(functools.partial(self._run, running, context))
            return
        self._keep(self.loop.create_task(running, context=context))

    def _keep(self, task: asyncio.Task[None]) -> None:
        """Nobody else refers to it."""
        task.add_done_callback(self._server_state.tasks.discard)
        self._server_state.tasks.add(task)

    def _refuse(self, why: str) -> None:
        """Answer what came as the app answers what is malformed, once, and read no further."""
        self._is_broken = True
        self._buffer, self._at = b"", 0
        if self._body is not None and self.cycle is not None:  # it is this request's own body
            if self.cycle.response_started:
                self.transport.close()
                return
            self.cycle.disconnected = True
            self.cycle.notify()
        self._body = None
        scope = {
            "type": "http",
            "asgi": self._asgi,
            "http_version": "1.1",
            "server": self._server,
            "client": self._client,
            "scheme": "http",
            "root_path": self._root_path,
            "state": self._app_state.copy(),
            **_UNKNOWN,
            REFUSED: why,
        }
        self._wait_for_the_response()
        refusal = self._new_cycle(scope, keep_alive=False)
        self._start(refusal)

    def _on_response(self) -> None:
        """The response has been written."""
        self._server_state.total_requests += 1
        if self.transport.is_closing() or self._is_broken:
            return
        if self._body is not None:  # the rest of it is read, and thrown away
            self.flow.resume_reading()
            return
        self._wait_for_the_next()
        if self._at < len(self._buffer):
            self._go_on_soon()
        elif self._has_ended:
            self.transport.close()
        elif self.flow.read_paused:
            self.flow.resume_reading()

    # writing

    def _linger(self) -> None:
        """Say that no more comes, and close it when the caller does, or has had time to read the response.

        To close a socket that has something to read would reset it, and the response could be lost (RFC 9112, 9.6).
        """
        if self._has_ended or self.transport.is_closing():
            self.transport.close()
            return
        self._is_broken = True
        self._buffer, self._at = b"", 0
        self.transport.write_eof()
        self.flow.resume_reading()
        self._wait_for(Waits.RESPONSE, LINGER)

    def pause_writing(self) -> None:
        self.flow.pause_writing()
        self._read_until = self.loop.time() + self._limits.header_timeout
        self._fire_by(self._read_until)

    def resume_writing(self) -> None:
        self.flow.resume_writing()
        self._read_until = math.inf
        if self._at < len(self._buffer):
            self._go_on_soon()

    # timeouts

    def _wait_for_the_response(self) -> None:
        self._waits = Waits.RESPONSE
        self._until = math.inf

    def _wait_for_the_next(self) -> None:
        if self._at < len(self._buffer):
            self._wait_for(Waits.HEAD, self._limits.header_timeout)
        else:
            self._wait_for(Waits.NOTHING, self._limits.keep_alive_timeout)

    def _wait_for(self, what: Waits, seconds: float) -> None:
        self._waits = what
        self._until = until = self.loop.time() + seconds
        self._fire_by(until)

    def _fire_by(self, time: float) -> None:
        """One timer serves for all, and is only ever brought forward: most waits end before they are up."""
        if time < self._fires_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_at(time, self._fire)
            self._fires_at = time

    def _fire(self) -> None:
        self._timer, self._fires_at = None, math.inf
        until = min(self._until, self._read_until)
        if until > self.loop.time():
            if until < math.inf:
                self._fire_by(until)
            return
        if not self.is_idle:
            self._connections.timed_out += 1
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # to close it would be to wait for the reader
        else:
            self._disconnect()


class _LastWords:
    """A transport for a response that may be the last one: to close it is to `linger`."""

    def __init__(self, transport: asyncio.Transport, linger: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = linger


def _check_target(head: HeadReader) -> None:
    """A whole URL is answered, as proxies send it, if it is for whom the request is."""
    if b"#" in head.target:
        raise MalformedRequest("the path has a fragment, which is nobody's but the caller's")
    _, _, rest = head.target.partition(b"://")
    if [rest.partition(b"/")[0].lower()] != [value.lower() for name, value in head.headers if name == b"host"]:
        raise MalformedRequest("the URL is for another than Host")
