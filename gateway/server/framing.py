"""Message framing: finds the end of a request's body, by length or in chunks (RFC 9112, 6 and 7.1)."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final, Protocol

from gateway.server.head import CHUNKED, MAX_HEADERS, MalformedRequest

_MAX_DIGITS: Final = 15
"""of a chunk's size, which then fits into an int64"""
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,%d})(?:;[\t\x20-\x7e\x80-\xff]*)?" % _MAX_DIGITS)
"""A size and extensions, which nobody reads."""
_FIELD: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")
_LINE_END: Final = b"\r\n"
_NO_CHUNKS: Final = "the body is not chunked as RFC 9112 describes it"


class Body(Protocol):
    """Where one body ends. It is `complete` from its last byte on."""

    complete: bool

    def feed(self, data: bytes, start: int) -> tuple[bytes, int]:
        """Read on from `start`. Returns content, and where the next byte that was not read is.

        Raises MalformedRequest. How the bytes were cut into pieces makes no difference to what is read or raised.
        """
        ...


def body_of(length: int, max_line_bytes: int) -> Body:
    """A body of `length` bytes, or CHUNKED, with as many bytes of chunk extensions, and of trailers, at most."""
    return ChunkedBody(max_line_bytes) if length == CHUNKED else SizedBody(length)


class SizedBody:
    """A body of a known length."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.complete = not length

    def feed(self, data: bytes, start: int) -> tuple[bytes, int]:
        content = data[start : start + self._left]
        self._left -= len(content)
        self.complete = not self._left
        return content, start + len(content)


class _Part(Enum):
    SIZE = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILERS = auto()


class ChunkedBody:
    """A body in chunks. Trailers are checked and thrown away: they may not say who asks, or what (RFC 9110, 6.5)."""

    def __init__(self, max_line_bytes: int) -> None:
        """Extensions of all chunks together, and all trailers together, may have `max_line_bytes` bytes."""
        self.complete = False
        self._part = _Part.SIZE
        self._left = 0
        """bytes of this chunk"""
        self._line = bytearray()
        """of a line that was cut"""
        self._extension_room = self._trailer_room = max_line_bytes
        self._trailers_left = MAX_HEADERS

    def feed(self, data: bytes, start: int) -> tuple[bytes, int]:
        contents = []
        while start < len(data) and not self.complete:
            if self._part is _Part.DATA:
                content = data[start : start + self._left]
                contents.append(content)
                start += len(content)
                self._left -= len(content)
                if not self._left:
                    self._part = _Part.DATA_END
                continue
            line, start = self._read_line(data, start)
            if line is not None:
                self._take(line)
        return b"".join(contents), start

    def _read_line(self, data: bytes, start: int) -> tuple[bytes | None, int]:
        """The next line, or None where it goes on; and what was not read."""
        room = self._room()
        before = len(self._line)
        self._line += data[start : start + room + len(_LINE_END) - before]
        end = self._line.find(_LINE_END, max(before - 1, 0))
        if end < 0:
            if len(self._line) >= room + len(_LINE_END):
                raise MalformedRequest(_NO_CHUNKS)
            return None, start + len(self._line) - before
        line = bytes(self._line[:end])
        self._line.clear()
        return line, start + end + len(_LINE_END) - before

    def _room(self) -> int:
        """Bytes that a line of this part may still have."""
        match self._part:
            case _Part.SIZE:
                return _MAX_DIGITS + self._extension_room
            case _Part.TRAILERS:
                return self._trailer_room
            case _:
                return 0

    def _take(self, line: bytes) -> None:
        match self._part:
            case _Part.SIZE:
                self._take_size(line)
            case _Part.TRAILERS:
                self._take_trailer(line)
            case _:
                self._part = _Part.SIZE

    def _take_size(self, line: bytes) -> None:
        found = _CHUNK_SIZE.fullmatch(line)
        if found is None:
            raise MalformedRequest(_NO_CHUNKS)
        self._extension_room -= len(line) - len(found[1])
        if self._extension_room < 0:
            raise MalformedRequest(_NO_CHUNKS)
        self._left = int(found[1], 16)
        self._part = _Part.DATA if self._left else _Part.TRAILERS

    def _take_trailer(self, line: bytes) -> None:
        if not line:
            self.complete = True
            return
        self._trailer_room -= len(line)
        self._trailers_left -= 1
        if self._trailers_left < 0 or _FIELD.fullmatch(line) is None:
            raise MalformedRequest("a trailer is malformed, or there are too many")
