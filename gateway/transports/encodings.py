"""Undoes the content encodings that servers and what stands before them use, asked for or not (RFC 9110, 8.4)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

_GZIP: Final = 16 + zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS
PART: Final = 1024 * 1024
"""Bytes that are decompressed at once, which takes a few milliseconds."""


class BadEncoding(Exception):
    """A body that is not encoded as it says."""


class Decoder(Protocol):
    """One body, piece by piece."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What `chunk` adds to the body, in parts of at most `PART` bytes. Raises BadEncoding."""
        ...

    def end(self) -> None:
        """Raise BadEncoding where the body has begun, and was cut off."""
        ...


class Identity:
    """As it is."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk

    def end(self) -> None:
        """It ends anywhere."""


class Gzip:
    """One member after another (RFC 1952, 2.2)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._is_between = True

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            self._is_between = False
            yield from _inflate(self._member, chunk)
            chunk = self._member.unused_data
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
                self._is_between = True

    def end(self) -> None:
        if not self._is_between:
            raise BadEncoding("cut off")


class Deflate:
    """With the header that RFC 9110 demands (zlib's), or without, as some send it."""

    def __init__(self) -> None:
        self._head = b""
        self._stream: zlib._Decompress | None = None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if self._stream is None:
            self._head += chunk
            if len(self._head) < 2:
                return
            has_header = self._head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(self._head[:2]) % 31 == 0
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if has_header else _RAW)
            chunk = self._head
        yield from _inflate(self._stream, chunk)
        if self._stream.unused_data:
            raise BadEncoding("goes on after its end")

    def end(self) -> None:
        if self._head and (self._stream is None or not self._stream.eof):
            raise BadEncoding("cut off")


DECODERS: Final[Mapping[bytes, Callable[[], Decoder]]] = {
    b"": Identity,
    b"identity": Identity,
    b"gzip": Gzip,
    b"x-gzip": Gzip,
    b"deflate": Deflate,
}


def decoder_of(content_encoding: bytes) -> Decoder:
    """For this header's value. Raises BadEncoding for one that is unknown, or for several."""
    names = [name.strip().lower() for name in content_encoding.split(b",")]
    encodings = [name for name in names if name not in {b"", b"identity"}]
    make = DECODERS.get(encodings[0] if encodings else b"")
    if make is None or len(encodings) > 1:
        raise BadEncoding("this content-encoding is not known here")
    return make()


def _inflate(stream: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    part = b""
    while chunk or len(part) == PART:
        try:
            part = stream.decompress(chunk, PART)
        except zlib.error as error:
            raise BadEncoding("not encoded as it says") from error
        chunk = stream.unconsumed_tail
        yield part
