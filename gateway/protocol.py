"""uvicorn's HTTP/1.1 protocol, bounded, and where what can be said at once costs least.

Everything else is uvicorn's own (0.54). In fewer steps than there:

- A GET begins as soon as its head has been read, in the callback that read it, and gets a task of its own only where
  it asks for one (`in_a_task`). A lookup never does: all that it may have to wait for is a future.
- An answer that is ready (`READY`) is put together in one step, and is one write.

And with bounds, which uvicorn has not:

- A head and a body have `header_timeout` seconds each, a caller that does not read its answer as long; a connection
  that says nothing has one timer for as long as it lives, and is closed after `KEPT` seconds.
- A head has at most `max_header_bytes` bytes and `MOST_HEADERS` headers.
- What is no request is answered by the app all the same (`REFUSED`), in its turn and once: it is logged and counted.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import math
from collections.abc import Coroutine
from enum import Enum, auto
from typing import Any, Final, NamedTuple, NoReturn

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.cycle import Cycle
from gateway.lifecycle import Lifecycle
from gateway.settings import ServerSettings
from gateway.shortcuts import READY, REFUSED

KEPT: Final = 5.0
"""Seconds that an idle connection is kept."""
MOST_HEADERS: Final = 100
_EXTENSIONS: Final[dict[str, dict[object, object]]] = {READY: {}}
_NOTHING: Final[dict[str, Any]] = {
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
    max_header_bytes: int

    @classmethod
    def of(cls, settings: ServerSettings) -> Limits:
        return cls(settings.header_timeout, settings.max_header_bytes)


class Waits(Enum):
    """What a connection waits for."""

    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    """which is ours"""
    READER = auto()
    """for its caller to read what was written"""
    NOTHING = auto()
    """the next request, if there is one"""


class Protocol(HttpToolsProtocol):
    """One connection. It takes no upgrade to another protocol."""

    _waits: Waits = Waits.HEAD
    _until: float = math.inf
    _bell: asyncio.TimerHandle | None = None
    _rings_at: float = math.inf
    _may_begin: bool = False
    """one request of each read is begun at once: a hundred that come together would keep all others waiting"""
    _in_head: bool = False
    _read: int = 0
    """bytes that came last"""
    _head_bytes: int = 0
    """of the head that is being read, without those that came with its first"""
    _why: str = ""
    """what is wrong with what came"""
    _is_broken: bool = False

    def __init__(self, *args: Any, limits: Limits, lifecycle: Lifecycle, **named: Any) -> None:
        super().__init__(*args, **named)
        self.limits = limits
        self._lifecycle = lifecycle

    # what comes

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for(Waits.HEAD, self.limits.header_timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._bell is not None:
            self._bell.cancel()
            self._bell = None

    def data_received(self, data: bytes) -> None:
        if self._is_broken:
            return
        if self._waits is Waits.NOTHING:
            self._wait_for(Waits.HEAD, self.limits.header_timeout)
        self._may_begin = True
        self._read = len(data)
        was_in_head = self._in_head
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:  # it is declined by not being taken up
            rest = data[offer.args[0] :]
            if rest:
                self.data_received(rest)
        except httptools.HttpParserError:
            self._refuse(self._why or "what came is no HTTP/1.1 request")
        else:
            if was_in_head and self._in_head:
                self._head_bytes += len(data)
                if self._head_bytes > self.limits.max_header_bytes:
                    self._refuse(self._too_large())

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))
        if len(self.headers) > MOST_HEADERS:
            self._object(f"more than {MOST_HEADERS} headers")

    def on_headers_complete(self) -> None:
        parser, scope = self.parser, self.scope
        if self._head_bytes + self._read > self.limits.max_header_bytes:
            self._check_size()
        self._in_head = False
        version = parser.get_http_version()
        method = scope["method"] = parser.get_method().decode("ascii")
        if version != "1.1":
            if version != "1.0":
                self._object("this gateway speaks HTTP/1.1, and HTTP/1.0")
            scope["http_version"] = version
        url = httptools.parse_url(self.url)
        if url.schema or b"#" in self.url:
            self._check_target()
        scope["raw_path"] = url.path
        scope["path"] = url.path.decode("ascii")
        scope["query_string"] = url.query or b""
        scope["extensions"] = _EXTENSIONS
        self._wait_for(Waits.BODY, self.limits.header_timeout)
        keep_alive = version != "1.0" and parser.should_keep_alive() and not self._lifecycle.draining
        self._begin(Cycle(self, keep_alive=keep_alive), at_once=method == "GET" and self._may_begin)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.cycle.more_body = False
        if self._waits is Waits.BODY:
            self._wait_for_what_is_next()

    def _begin(self, cycle: Cycle, *, at_once: bool = False) -> None:
        """Or later, in its turn; not at all where nobody could be answered any more."""
        if self.transport.is_closing():
            return
        before, self.cycle = self.cycle, cycle
        if before is not None and not before.response_complete and not before.disconnected:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))
        elif at_once:
            self._may_begin = False
            self._go_on(cycle.run_asgi(self.app), contextvars.copy_context())
        else:
            self._start_asgi_task(cycle, self.app)

    def _go_on(self, running: Coroutine[Any, Any, None], context: contextvars.Context, _done: object = None) -> None:
        """Until it is over, waits for a future, or gives way."""
        try:
            awaited = context.run(running.send, None)
        except StopIteration:
            return
        if awaited is not None:
            awaited.add_done_callback(functools.partial(self._go_on, running, context))
            return
        task = self.loop.create_task(running, context=context)
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    # what is no request

    def _object(self, why: str) -> NoReturn:
        """Let the parser end here."""
        self._why = why
        raise ValueError(why)

    def _check_size(self) -> None:
        """Much may have come with this head, and only its own part counts."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.limits.max_header_bytes:
            self._object(self._too_large())

    def _check_target(self) -> None:
        """A whole URL is answered, as proxies send it, if it is for whom the request is."""
        if b"#" in self.url:
            self._object("the path has a fragment, which is nobody's but the caller's")
        _, _, rest = self.url.partition(b"://")
        if [rest.partition(b"/")[0].lower()] != [value.lower() for name, value in self.headers if name == b"host"]:
            self._object("the URL is for another than Host")

    def _too_large(self) -> str:
        return f"the head is larger than {self.limits.max_header_bytes} bytes"

    def _refuse(self, why: str) -> None:
        """Answer what came as the app answers what is malformed, once, and read no further."""
        self._is_broken = True
        broken = self.cycle if self._waits is Waits.BODY else None  # then it is this request's own body
        if broken is not None and broken.response_started:
            self.transport.close()
            return
        super().on_message_begin()
        self.scope.update({**_NOTHING, REFUSED: why})  # type: ignore[typeddict-item]  # ours
        self.expect_100_continue = False
        self._wait_for(Waits.ANSWER, math.inf)
        refusal = Cycle(self, keep_alive=False)
        refusal.more_body = False
        if broken is not None and self.pipeline and self.pipeline[0][0] is broken:
            self.pipeline[0] = (refusal, self.app)  # it has not begun
            self.cycle = refusal
            return
        if broken is not None:
            broken.disconnected = True
            broken.message_event.set()
        self._begin(refusal)

    # what leaves

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            if self.transport.get_write_buffer_size():
                self._wait_for(Waits.READER, self.limits.header_timeout)
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._waits is Waits.ANSWER:
            self._wait_for(Waits.NOTHING, KEPT)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for(Waits.READER, self.limits.header_timeout)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._waits is Waits.READER:
            self._wait_for_what_is_next()

    @property
    def has_asked(self) -> bool:
        return self.cycle is not None

    def end_with_what_is_under_way(self) -> None:
        """What is asked next will be the last by itself: it finds the process draining."""
        if self.cycle is not None:
            self.cycle.keep_alive = False

    # how long it may take

    def _wait_for_what_is_next(self) -> None:
        if self.cycle.more_body:
            self._wait_for(Waits.BODY, self.limits.header_timeout)
        elif self.cycle.response_complete:
            self._wait_for(Waits.NOTHING, KEPT)
        else:
            self._wait_for(Waits.ANSWER, math.inf)

    def _wait_for(self, what: Waits, seconds: float) -> None:
        self._waits = what
        self._until = until = self.loop.time() + seconds
        if until < self._rings_at:
            self._ring_at(until)

    def _ring_at(self, time: float) -> None:
        if self._bell is not None:
            self._bell.cancel()
        self._bell = self.loop.call_at(time, self._ring)
        self._rings_at = time

    def _ring(self) -> None:
        self._bell, self._rings_at = None, math.inf
        if self._until > self.loop.time():
            if self._until < math.inf:
                self._ring_at(self._until)
        elif self.transport.get_write_buffer_size():
            self.transport.abort()  # to close it would be to wait for the reader
        else:
            self.transport.close()

    def _unset_keepalive_if_required(self) -> None:
        """There is one timer for all, and it is not stopped."""
