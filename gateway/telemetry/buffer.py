"""Buffers log lines, so that several are written at once: a write for each costs more than a cache hit."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import msgspec

MAX_DELAY: Final = 0.1
"""Seconds that a line may wait for others. If the process is killed, that much of the log is lost."""
MOST: Final = 512
"""Lines that wait at most."""


_ENCODER: Final = msgspec.json.Encoder()


class Buffer:
    """In front of `write`, which gets them in JSON. With no `patience`, or outside a running loop, nothing waits."""

    def __init__(self, write: Callable[[bytes], object], patience: float) -> None:
        self._write = write
        self._patience = patience
        self._lines: list[msgspec.Struct] = []

    def add(self, line: msgspec.Struct) -> None:
        self._lines.append(line)
        waiting = len(self._lines)
        if waiting == 1:
            self._flush_soon()
        elif waiting >= MOST:
            self.flush()

    def flush(self) -> None:
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        with contextlib.suppress(OSError):  # nobody reads the log any more: that is no request's fault
            self._write(_ENCODER.encode_lines(lines))

    def _flush_soon(self) -> None:
        if self._patience:
            with contextlib.suppress(RuntimeError):  # no loop is running
                asyncio.get_running_loop().call_later(self._patience, self.flush)
                return
        self.flush()
