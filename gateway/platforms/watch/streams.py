"""All open streams: how many there may be, and how they end when the process drains."""

from __future__ import annotations

from typing import Final

from adapters.loop import OneLoop
from gateway.platforms.watch.stream import EndReason, Stream
from gateway.platforms.watch.wake_queue import WakeQueue
from gateway.problems.problem import Kind, Problem

RETRY_AFTER_SECONDS: Final = 5.0
"""Seconds after which a caller may try again that found no place."""


class Streams(OneLoop):
    """At most `max_streams` at once. Those that drain are ended one after the other, within `drain_delay` seconds."""

    def __init__(self, max_streams: int, drain_delay: float) -> None:
        self._max_streams = max_streams
        self._drain_delay = drain_delay
        self._streams: dict[Stream, None] = {}
        self._is_draining = False
        self._wake_queue = WakeQueue()

    def __len__(self) -> int:
        return len(self._streams)

    def open(self) -> Stream:
        """A new stream; `Stream.close` gives its place back. Raises the Problem `overloaded`."""
        if len(self._streams) >= self._max_streams:
            detail = f"{self._max_streams} streams are open, which is the most"
            raise Problem(Kind.OVERLOADED, detail, retry_after=RETRY_AFTER_SECONDS)
        stream = Stream(self._remove, self._wake_queue)
        self._streams[stream] = None
        if self._is_draining:
            stream.end(EndReason.DRAINING)
        return stream

    def check_again(self) -> None:
        """Have every stream check its rights: callers and credentials were reloaded."""
        for stream in self._streams:
            stream.check_again()

    def drain(self) -> None:
        """End all streams, evenly over `drain_delay`, so that their callers do not all come back at once."""
        self._is_draining = True
        gap = self._drain_delay / max(len(self._streams), 1)
        for place, stream in enumerate(self._streams):
            self._loop.call_later(place * gap, stream.end, EndReason.DRAINING)

    def _remove(self, stream: Stream) -> None:
        self._streams.pop(stream, None)
