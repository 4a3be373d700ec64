"""One request and its answer, as uvicorn has them, but that what is ready (`READY`) is one step and one write."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.shortcuts import READY

END: Final = b"\r\n"


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

    def __init__(self, protocol: HttpToolsProtocol, *, keep_alive: bool) -> None:
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
