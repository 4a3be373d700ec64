"""One request and its response: uvicorn's own, but a response that is ready (`READY`) is one step and one write.

What is used of uvicorn beyond its documentation is here: `RequestResponseCycle` (its `run_asgi` and `send`, and the
attributes that are set below) and `STATUS_LINE`. uvicorn is capped in `pyproject.toml` for their sake. A third of a
cached lookup is saved by a response in one step, and a fifth by beginning a GET without a task, which is 6 % of one
that is not cached (`python -m benchmarks.internals`). Every test in `tests/protocol/` fails without them.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from gateway.server.extensions import MAX_BODY, READY

END: Final = b"\r\n"
CLOSE: Final = (b"connection", b"close")
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Cycle(RequestResponseCycle):
    """One request and its response."""

    access_log = False
    disconnected = False
    response_started = False
    response_complete = False
    chunked_encoding = None
    expected_content_length = 0
    has_begun = False
    """whether the app has seen the head"""
    _event: asyncio.Event | None = None

    def __init__(
        self,
        scope: Any,
        transport: Any,
        flow: FlowControl,
        *,
        logger: Any,
        default_headers: list[tuple[bytes, bytes]],
        on_response: Any,
        keep_alive: bool,
        expects_continue: bool,
        has_body: bool,
    ) -> None:
        self.scope = scope
        self.transport = transport
        self.flow = flow
        self.logger = logger
        self.default_headers = default_headers
        self.on_response = on_response
        self.waiting_for_100_continue = expects_continue
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.more_body = has_body
        self._has_news = not has_body

    @property
    def message_event(self) -> asyncio.Event:  # type: ignore[override]
        """Few wait for it, so it is made when somebody does."""
        self._event = event = self._event or asyncio.Event()
        return event

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be written for this request."""
        return self.response_complete or self.disconnected

    def notify(self) -> None:
        """Some of the body has come, or its end, or nothing more will."""
        self._has_news = True
        if self._event is not None:
            self._event.set()

    async def receive(self) -> Any:
        """As uvicorn's, which also reads on behind the body's end: what comes there is the next request."""
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.transport.write(CONTINUE)
            self.waiting_for_100_continue = False
        while not (self.is_over or self._has_news):
            if self.more_body:
                self.flow.resume_reading()
            self.message_event.clear()
            await self.message_event.wait()
        if self.is_over:
            return {"type": "http.disconnect"}
        body, self.body, self._has_news = bytes(self.body), bytearray(), False
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def run_asgi(self, app: Any) -> None:
        self.has_begun = True
        await super().run_asgi(app)

    async def send(self, message: Any) -> None:
        if self.more_body and not self.response_started and CLOSE not in message.get("headers", ()):
            await self._end_of_body()
        if message["type"] == "http.response.body" and not message.get("more_body") and self.flow.write_paused:
            await self._send_last(message)
        elif message["type"] != READY:
            await super().send(message)
        elif self.flow.write_paused or self.disconnected or self.response_started or not self.keep_alive:
            await self._send_apart(message)
        else:
            self._write_whole(message)

    async def _send_last(self, message: Any) -> None:
        """Hand over what ends the response without waiting until the part before it has been taken.

        The app is then done, and holds no place while a slow caller reads; `Protocol` bounds how long that may take.
        """
        self.flow.write_paused = False
        try:
            await super().send(message)
        finally:
            self.flow.write_paused = True

    async def _end_of_body(self) -> None:
        """Let a response that is early wait until its request has come whole, unless it closes the connection.

        The rest of the body may turn out to be malformed, and then that is the one answer. A body that is too long is
        not waited for, nor is one that the caller may not send: what comes then can't be told from a next request.
        """
        discarded = 0
        while self.more_body and not self.disconnected:
            if self.waiting_for_100_continue or discarded > MAX_BODY:
                self.keep_alive = False
                return
            self.flow.resume_reading()
            self.message_event.clear()
            await self.message_event.wait()
            discarded += len(self.body)
            self.body.clear()

    def _write_whole(self, ready: Any) -> None:
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
