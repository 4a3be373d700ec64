"""uvicorn's HTTP/1.1 protocol, where an answer that is ready leaves in one piece.

What is usual is done in few steps: the head and the body of an answer are one write, and an idle connection has one
timer for as long as it lives, not a new one after every answer. Everything else is uvicorn's own (0.54).
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

END: Final = b"\r\n"


class Protocol(HttpToolsProtocol):
    """One connection. It takes no upgrade to another protocol."""

    _idle_since: float | None = None
    _bell: asyncio.TimerHandle | None = None

    def on_headers_complete(self) -> None:
        version = self.parser.get_http_version()
        scope: Any = self.scope
        scope["method"] = self.parser.get_method().decode("ascii")
        if version != "1.1":
            scope["http_version"] = version
        url = httptools.parse_url(self.url)
        scope["raw_path"] = url.path
        scope["path"] = url.path.decode("ascii")
        scope["query_string"] = url.query or b""
        before = self.cycle
        self.cycle = Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self._bell is None:
            self._bell = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

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


class Cycle(RequestResponseCycle):
    """One request and its answer."""

    _start: Any = None
    """the head of the answer, until its body is there"""

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start" and not self.response_started:
            self._start = message
            return
        start, self._start = self._start, None
        if start is None:
            await super().send(message)
        elif self.flow.write_paused or not self._leave(start, message):
            await super().send(start)
            await super().send(message)

    def _leave(self, start: Any, message: Any) -> bool:
        """Write the whole answer, if it is of the usual kind."""
        body = message.get("body", b"")
        if (
            message.get("more_body", False)
            or self.disconnected
            or not self.keep_alive
            or self.scope["method"] == "HEAD"
        ):
            return False
        headers = [*self.default_headers, *start["headers"]]
        if (b"content-length", b"%d" % len(body)) not in headers:
            return False
        lines = [STATUS_LINE[start["status"]]]
        for name, value in headers:
            if name == b"connection":
                return False
            lines += (name, b": ", value, END)
        lines.append(END)
        head = b"".join(lines)
        if head.count(b"\n") != len(headers) + 2 or head.count(b"\r") != len(headers) + 2:
            return False  # a header that would be two: uvicorn refuses it
        self.transport.write(head + body)
        self.waiting_for_100_continue = False
        self.response_started = self.response_complete = True
        self.expected_content_length = 0
        self.message_event.set()
        self.on_response()
        return True
