"""An answer read whole: capped, decoded, and without the headers that only described its way over the wire."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import httpx

MAX_BODY: Final = 1024 * 1024
"""Bytes of one answer, after decoding, unless the request's extensions have another `max_body`."""
ACCEPTED_ENCODING: Final = "gzip"
AT_ONCE: Final = 1024 * 1024
"""Bytes that are decompressed at once, which takes a few milliseconds."""
_REFUSALS: Final = 400
_GZIP: Final = 16 + zlib.MAX_WBITS
More = Callable[[], Awaitable[bytes]]
"""Gives what comes next of a body; nothing at its end."""
_DESCRIBES_THE_WIRE: Final = {b"content-encoding", b"content-length", b"transfer-encoding"}


async def read_whole(
    request: httpx.Request, status: int, headers: Iterable[tuple[bytes, bytes]], more: More
) -> httpx.Response:
    """The answer to `request`. Raises httpx.DecodingError for a body over the cap or not encoded as it says.

    A refusal or a failure is one without its body too: throttle, breaker and a new login go by its status and
    headers.
    """
    kept: list[tuple[bytes, bytes]] = []
    encoding = b""
    for name, value in headers:
        lowered = name.lower()
        if lowered not in _DESCRIBES_THE_WIRE:
            kept.append((name, value))
        elif lowered == b"content-encoding":
            encoding = value.strip().lower()
    try:
        content = await _read(more, encoding, request.extensions.get("max_body", MAX_BODY))
    except httpx.DecodingError:
        if status < _REFUSALS:
            raise
        content = b""
    return _Whole(status, kept, content, request)


class _Whole(httpx.Response):
    """One whose body was read: httpx would take it through its decoders once more, which is most of its cost."""

    def __init__(
        self, status: int, headers: list[tuple[bytes, bytes]], content: bytes, request: httpx.Request
    ) -> None:
        super().__init__(status, headers=headers, stream=httpx.ByteStream(content), request=request)
        self._content = content
        self.is_closed = self.is_stream_consumed = True


async def _read(more: More, encoding: bytes, most: int) -> bytes:
    if encoding not in {b"", b"identity", ACCEPTED_ENCODING.encode()}:
        raise httpx.DecodingError("this content-encoding was not asked for")
    inflate = zlib.decompressobj(_GZIP) if encoding == ACCEPTED_ENCODING.encode() else None
    content = bytearray()
    came = False
    while chunk := await more():
        came = True
        if inflate is None:
            content += chunk
        else:
            await _inflate(inflate, chunk, content, most)
        if len(content) > most:
            raise httpx.DecodingError(f"more than {most} bytes")
        if inflate is not None and inflate.unused_data:
            raise httpx.DecodingError("goes on after its end")
    if came and inflate is not None and not inflate.eof:
        raise httpx.DecodingError("cut off")
    return bytes(content)


async def _inflate(inflate: zlib._Decompress, chunk: bytes, content: bytearray, most: int) -> None:
    """Append to `content`, up to one byte more than `most`. It is everybody else's turn after every `AT_ONCE`."""
    while True:
        room = min(AT_ONCE, most + 1 - len(content))
        try:
            part = inflate.decompress(chunk, room)
        except zlib.error as error:
            raise httpx.DecodingError("not gzip") from error
        content += part
        chunk = inflate.unconsumed_tail
        if len(content) > most or (not chunk and len(part) < room):
            return
        await asyncio.sleep(0)
