"""The log: JSON lines whose fields are the allow-list `Line`, and nothing else.

Silence is built in rather than filtered: a line has no field in which a token, a body, a path or a query could
stand, users appear as a keyed hash, and of foreign records (uvicorn's, any library's) only the place that they
came from is kept, never its text: it may have been put together from anything.
"""

from __future__ import annotations

import functools
import logging
import secrets
import sys
import traceback
from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import PurePath
from types import TracebackType
from typing import Any, Final

import msgspec

from adapters.times import now
from adapters.user_ids import UserKey
from gateway.telemetry.buffer import MAX_DELAY, Buffer
from gateway.telemetry.writer import Writer

STDERR: Final = 2
"""The descriptor of standard error."""
FRAMES: Final = 12
"""Frames kept of a stack, the innermost ones."""
REMEMBERED: Final = 1024
"""Users whose hash is not made anew."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that can be logged. `time`, `level` and `event` are always there."""

    time: str
    level: str
    event: str
    request_id: str | None = None
    method: str | None = None
    route: str | None = None
    """the path's template: the path itself names users"""
    status: int | None = None
    duration_ms: float | None = None
    caller: str | None = None
    """its name in the configuration"""
    platform: str | None = None
    viewer: str | None = None
    """as a keyed hash, or `own`"""
    action: str | None = None
    user: str | None = None
    """the target user, as a keyed hash"""
    outcome: str | None = None
    """a slug, the status that an action led to, or `ok`"""
    late: bool = False
    """the action ended after its caller had been answered"""
    problem: str | None = None
    """the slug"""
    problems: dict[str, int] | None = None
    """in an answer about many: how many entries ended in which"""
    trace_id: str | None = None
    address: str | None = None
    version: str | None = None
    setting: str | None = None
    """a key of the configuration"""
    warning: str | None = None
    """in a word"""
    changed: tuple[str, ...] = ()
    """the keys that a reload put in force"""
    configuration: str | None = None
    """what is wrong with it; that names keys, and no value of any"""
    error: str | None = None
    """the exception's type; its text could quote anything"""
    at: tuple[str, ...] | None = None
    """file, line and function, outermost first"""
    logger: str | None = None
    lines: int | None = None
    """how many lines of this log are missing"""


class RequestLine(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a `Line` can say of a request. There is one for each, and the other fields cost time although empty."""

    time: str
    level: str
    event: str
    request_id: str
    method: str | None = None
    route: str | None = None
    status: int | None = None
    duration_ms: float | None = None
    caller: str | None = None
    platform: str | None = None
    user: str | None = None
    problem: str | None = None
    problems: dict[str, int] | None = None
    trace_id: str | None = None


class Log:
    """Writes lines to `write` (default: standard error). `hash_key` keys the hashes; without it a random one does."""

    def __init__(
        self,
        write: Callable[[str], object] | None = None,
        hash_key: bytes | None = None,
        *,
        worker: int | None = None,
    ) -> None:
        """`worker`: the number of this process among several, which each line then begins with."""
        self._line, self._request_line = (Line, RequestLine) if worker is None else _numbered(worker)
        self._writer: Writer | None = None
        if write is None:
            self._writer = Writer(STDERR, functools.partial(_dropped, self._line))
            self._buffer = Buffer(self._writer.write, patience=MAX_DELAY)
        else:
            self._buffer = Buffer(lambda lines: write(lines.decode()), patience=0.0)
        self._hash_key = blake2b(secrets.token_bytes(32) if hash_key is None else hash_key).digest()
        self._empty_hash = blake2b(digest_size=8, key=self._hash_key)
        self.user: Callable[[UserKey], str] = functools.lru_cache(REMEMBERED)(self._user)
        """The same 16 hexadecimal digits for the same user under the same key, and no way back."""

    @property
    def dropped(self) -> int:
        """Lines that nobody will read: standard error did not take them."""
        return 0 if self._writer is None else self._writer.dropped

    async def written(self) -> None:
        """Wait, if not for long, until all lines so far have been handed to the system."""
        self._buffer.flush()
        if self._writer is not None:
            await self._writer.written()

    def flush(self) -> None:
        """Write what waits, and wait for that, if not for long."""
        self._buffer.flush()
        if self._writer is not None:
            self._writer.flush()

    def line(self, event: str, *, level: str = "info", **fields: object) -> None:
        """Write one line at once. A field that `Line` does not have is a TypeError: there is no other way out."""
        line = self._line(time=now(), level=level, event=event, **fields)  # type: ignore[arg-type]  # checked by Line itself
        self._buffer.add(line)
        self._buffer.flush()

    def request(self, *fields: Any) -> None:
        """Write the line of a request soon, together with those of others: the fields of `RequestLine` in order."""
        self._buffer.add(self._request_line(now(), "info", "request", *fields))

    def _user(self, user_id: UserKey) -> str:
        return self.hash(str(user_id).encode())

    def hash(self, what: bytes) -> str:
        """As `user`, of whatever tells one from another."""
        hashing = self._empty_hash.copy()
        hashing.update(what)
        return hashing.hexdigest()

    def warn(self, word: str, platform: str) -> None:
        """What an adapter wants its operator to know."""
        self.line("platform", level="warning", platform=platform, warning=word)

    def warnings(self, warnings: Iterable[tuple[str, str]]) -> None:
        """Write a line for each key of the configuration, with the word for what is doubtful about it."""
        for setting, word in warnings:
            self.line("configuration", level="warning", setting=setting, warning=word)

    def failure(self, event: str, error: BaseException, **fields: object) -> None:
        """An exception nobody foresaw: its type and where it came from."""
        self.line(event, level="error", error=type(error).__name__, at=frames(error.__traceback__), **fields)

    def take_over(self) -> None:
        """Send everything that any library logs, from warnings on, through this writer; a crash of ours too."""
        root = logging.getLogger()
        root.handlers[:] = [_ForeignRecords(self)]
        root.setLevel(logging.WARNING)
        logging.captureWarnings(capture=True)
        sys.excepthook = lambda _kind, error, _stack: self.failure("crash", error)


def frames(stack: TracebackType | None) -> tuple[str, ...]:
    kept = traceback.extract_tb(stack)[-FRAMES:]
    return tuple(f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in kept)


def _numbered(worker: int) -> tuple[type[Line], type[RequestLine]]:
    """The same lines with the field `worker`: a tag, which costs a request nothing."""

    class NumberedLine(Line, frozen=True, kw_only=True, omit_defaults=True, tag_field="worker", tag=worker):
        pass

    class NumberedRequestLine(RequestLine, frozen=True, omit_defaults=True, gc=False, tag_field="worker", tag=worker):
        pass

    return NumberedLine, NumberedRequestLine


def _dropped(line_type: type[Line], lines: int) -> bytes:
    line = line_type(time=now(), level="error", event="log-lines-dropped", lines=lines)
    return msgspec.json.encode(line) + b"\n"


class _ForeignRecords(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        _, error, stack = record.exc_info or (None, None, None)
        self._log.line(
            "library",
            level=record.levelname.lower(),
            logger=record.name,
            error=None if error is None else type(error).__name__,
            at=frames(stack) or (f"{record.filename}:{record.lineno} {record.funcName}",),
        )
