"""Responses as server-sent events: what is new on a stream, until its caller leaves or it has to end."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.user_ids import UserKey
from gateway.api.audit import Audit
from gateway.api.middleware.admission import Admission
from gateway.api.request_record import RequestRecord
from gateway.platforms.watch.stream import EndReason, Stream
from gateway.platforms.watch.user_state import UserState
from gateway.problems.details import details
from gateway.problems.problem import as_problem

EVENT_STREAM: Final = "text/event-stream"
HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""nginx would hold back what is sent until it has enough."""
RETRY: Final = b"retry: 2000\n\n"
"""Milliseconds after which a browser connects again."""
COMMENT: Final = b": still here\n\n"
COMMENT_EVERY: Final = 15.0
"""Seconds without an event after which a comment is sent: proxies cut off what seems to be dead."""
PART: Final = 64
"""Events that are written at once, at most: a slow reader has a while for each part."""


class EventName(StrEnum):
    CONNECTION = "connection"
    PROBLEM = "problem"
    GOAWAY = "goaway"


class GoAway(msgspec.Struct, frozen=True):
    """The last event of a stream that the gateway ends. Connect again: the new stream begins with every state."""

    reason: EndReason


class EventStream(Response):
    """Writes the newest state of each user of `stream` as soon as the caller has read what was written before.

    `check` is called before anything is sent when rights have to be checked again; it may end the stream.
    """

    def __init__(
        self, stream: Stream, check: Callable[[], None], admission: Admission, record: RequestRecord, audit: Audit
    ) -> None:
        super().__init__(None, headers=HEADERS)
        self.raw_headers = [
            *(each for each in self.raw_headers if each[0] != b"content-length"),
            (b"content-type", EVENT_STREAM.encode()),
        ]
        self._stream = stream
        self._check = check
        self._admission = admission
        self._record = record
        self._audit = audit

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        leaving = asyncio.create_task(_disconnect(receive))
        leaving.add_done_callback(lambda _: self._stream.wake())
        try:
            with self._admission.released():
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                self._audit.stream_begun(self._record)
                await self._write_events(send, leaving)
        finally:
            leaving.cancel()
            self._stream.close()

    async def _write_events(self, send: Send, leaving: asyncio.Task[None]) -> None:
        async def write(part: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": part, "more_body": more})

        now = asyncio.get_running_loop().time
        part = RETRY
        comment_at = now() + COMMENT_EVERY
        while not leaving.done():
            if part:
                await write(part)
                await write(b"")  # which returns when the caller has read enough of it
                comment_at = now() + COMMENT_EVERY
            if self._stream.is_outdated:
                self._stream.is_outdated = False
                self._check()
            if self._stream.end_reason is not None:
                await write(_event(EventName.GOAWAY, GoAway(self._stream.end_reason)), more=False)
                return
            part = b"".join(self._events())
            if not part:
                await self._stream.sleep(comment_at)
                part = COMMENT if now() >= comment_at else b""

    def _events(self) -> Iterator[bytes]:
        for platform, user_id, state in itertools.islice(self._stream.take(), PART):
            yield self._event(platform, user_id, state)

    def _event(self, platform: str, user_id: UserKey, state: UserState) -> bytes:
        if isinstance(state.found, bytes):
            return _event(EventName.CONNECTION, msgspec.Raw(state.found))
        problem = as_problem(state.found)
        self._record.failed_at(problem)
        problem.platform = problem.platform or platform
        return _event(EventName.PROBLEM, details(problem, self._record.request_id, user_id))


async def _disconnect(receive: Receive) -> None:
    """Return when the caller has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(name: EventName, data: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(data))
