"""Reads a response whole: size cap, content decoding, and no hop-by-hop headers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import httpx

from adapters.httpx_internals import WholeResponse
from gateway.transports.encodings import PART, BadEncoding, Decoder, decoder_of

MAX_BODY: Final = 1024 * 1024
"""Bytes of one answer, after decoding, unless the request's extensions have another `max_body`."""
ACCEPTED_ENCODING: Final = "gzip"
_REFUSALS: Final = 400
MAX_HEADERS: Final = 300
"""Fields of an answer's head."""
More = Callable[[], Awaitable[bytes]]
"""Gives what comes next of a body; nothing at its end."""
_DESCRIBES_THE_WIRE: Final = {b"content-encoding", b"content-length", b"transfer-encoding"}


async def read_whole(
    request: httpx.Request, status: int, headers: Iterable[tuple[bytes, bytes]], more: More
) -> httpx.Response:
    """The answer to `request`.

    Raises httpx.DecodingError for a body over the cap or not encoded as it says, and for too many headers.

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
            encoding += b"," + value
    if len(kept) > MAX_HEADERS:
        raise httpx.DecodingError(f"more than {MAX_HEADERS} headers", request=request)
    try:
        content = await _read(more, encoding, request.extensions.get("max_body", MAX_BODY))
    except httpx.DecodingError:
        if status < _REFUSALS:
            raise
        content = b""
    return WholeResponse(status, kept, content, request)


async def _read(more: More, encoding: bytes, most: int) -> bytes:
    """At most `most` bytes, of which as many, and as many again, may come over the wire: encodings can be empty."""
    content = bytearray()
    received = 0
    decoder: Decoder | None = None
    try:
        while chunk := await more():
            decoder = decoder or decoder_of(encoding)
            received += len(chunk)
            for part in decoder.feed(chunk):
                if len(part) == PART:
                    await asyncio.sleep(0)  # it is everybody else's turn
                content += part
                if len(content) > most or received > 2 * most:
                    raise httpx.DecodingError(f"more than {most} bytes")
        if decoder is not None:
            decoder.end()
    except BadEncoding as error:
        raise httpx.DecodingError(str(error)) from error
    return bytes(content)
