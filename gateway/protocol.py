"""uvicorn's HTTP/1.1 protocol, where what can be said at once costs least.

Three things are done in fewer steps than there; everything else is uvicorn's own (0.54):

- A GET begins as soon as its head has been read, in the callback that read it, and gets a task of its own only where
  it asks for one (`in_a_task`). A lookup never does: all that it may have to wait for is a future.
- An answer that is ready (`READY`) is put together in one step, and is one write.
- An idle connection has one timer for as long as it lives, not a new one after every answer.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Coroutine
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.shortcuts import READY

END: Final = b"\r\n"
_EXTENSIONS: Final[dict[str, dict[object, object]]] = {READY: {}}


class Protocol(HttpToolsProtocol):
    """One connection. It takes no upgrade to another protocol."""

    _idle_since: float | None = None
    _bell: asyncio.TimerHandle | None = None
    _may_begin: bool = False
    """one request of each read is begun at once: a hundred that come together would keep all others waiting"""

    def on_headers_complete(self) -> None:
        parser, scope = self.parser, self.scope
        version = parser.get_http_version()
        method = scope["method"] = parser.get_method().decode("ascii")
        if version != "1.1":
            scope["http_version"] = version
        url = httptools.parse_url(self.url)
        scope["raw_path"] = url.path
        scope["path"] = url.path.decode("ascii")
        scope["query_string"] = url.query or b""
        scope["extensions"] = _EXTENSIONS
        before = self.cycle
        self.cycle = cycle = Cycle(self, keep_alive=version != "1.0" and parser.should_keep_alive())
        if before is not None and not before.response_complete:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))
        elif method == "GET" and self._may_begin:
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

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self._bell is None:
            self._bell = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._bell is not None:
            self._bell.cancel()
            self._bell = None

    def timeout_keep_alive_handler(self) -> None:
        self._bell = None
        if self._idle_since is None:  # it is set anew when the connection is idle again
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._bell = self.loop.call_later(left, self.timeout_keep_alive_handler)
        elif not self.transport.is_closing():
            self.transport.close()

    def _unset_keepalive_if_required(self) -> None:
        """Something came: whatever it is, the connection is not idle."""
        self._idle_since = None
        self._may_begin = True


class Cycle(RequestResponseCycle):
    """One request and its answer."""

    access_log = False
    disconnected = False
    more_body = True
    response_started = False
    response_complete = False
    chunked_encoding = None
    expected_content_length = 0
    _event: asyncio.Event | None = None

    def __init__(self, protocol: Protocol, *, keep_alive: bool) -> None:
        """What uvicorn sets, as far as it is not the same for all."""
        self.scope = protocol.scope
        self.transport = protocol.transport
        self.flow = protocol.flow
        self.logger = protocol.logger
        self.default_headers = protocol.server_state.default_headers
        self.on_response = protocol.on_response_complete
        self.waiting_for_100_continue = protocol.expect_100_continue
        self.keep_alive = keep_alive
        self.body = bytearray()

    @property
    def message_event(self) -> asyncio.Event:  # type: ignore[override]
        """Few wait for it, so it is made when somebody does."""
        self._event = event = self._event or asyncio.Event()
        return event

    async def send(self, message: Any) -> None:
        if message["type"] != READY:
            await super().send(message)
        elif self.flow.write_paused or self.disconnected or self.response_started or not self.keep_alive:
            await self._send_apart(message)
        else:
            self._leave(message)

    def _leave(self, ready: Any) -> None:
        """Write a whole answer."""
        body = ready["body"]
        lines = [STATUS_LINE[ready["status"]]]
        for name, value in self.default_headers:
            lines += (name, b": ", value, END)
        lines.append(ready["fixed"])
        for name, value in ready["headers"]:
            lines += (name, b": ", value, END)
        lines.append(b"content-length: %d\r\n\r\n" % len(body))
        if self.scope["method"] != "HEAD":
            lines.append(body)
        self.transport.write(b"".join(lines))
        self.waiting_for_100_continue = False
        self.response_started = self.response_complete = True
        if self._event is not None:
            self._event.set()
        self.on_response()

    async def _send_apart(self, ready: Any) -> None:
        """As the two messages that ASGI has for it."""
        fixed = [tuple(line.split(b": ", 1)) for line in ready["fixed"].split(END)[:-1]]
        headers = [*fixed, *ready["headers"], (b"content-length", b"%d" % len(ready["body"]))]
        await super().send({"type": "http.response.start", "status": ready["status"], "headers": headers})
        await super().send({"type": "http.response.body", "body": ready["body"]})
