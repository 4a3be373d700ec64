"""The parent's lines in the log: as the workers' lines, without importing what those need."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final

from gateway.telemetry.writer import Writer

STDERR: Final = 2
"""The descriptor of standard error."""


class ParentLog:
    """Writes JSON lines to standard error. No reader, however slow, delays the parent."""

    def __init__(self) -> None:
        self._writer = Writer(STDERR, _dropped)

    def line(self, event: str, *, level: str = "info", **fields: int | str) -> None:
        """Write one line at once."""
        self._writer.write(_encoded(event, level, **fields))


def _encoded(event: str, level: str, **fields: int | str) -> bytes:
    time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return (
        json.dumps({"time": time, "level": level, "event": event, **fields}, separators=(",", ":")).encode() + b"\n"
    )


def _dropped(lines: int) -> bytes:
    return _encoded("log-lines-dropped", "error", lines=lines)
