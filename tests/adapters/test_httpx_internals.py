"""What is made past httpx's own constructors is the same as what they make. `test_upstream.py` compares URLs."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from adapters.httpx_internals import WholeResponse

REQUEST = httpx.Request("GET", "https://pod.example.com/")
BODIES = {
    "JSON": (b"application/json", b'{"a": 1}'),
    "text": (b"text/plain; charset=iso-8859-1", "\u00e9".encode("latin-1")),
    "nothing": (b"application/json", b""),
}


def seen(response: httpx.Response) -> dict[str, Any]:
    """All that an adapter or a transport reads of a response."""
    return {
        "status": (response.status_code, response.reason_phrase, response.is_success, response.is_error),
        "headers": [*response.headers.multi_items()],
        "body": (response.content, response.text, response.encoding, response.read()),
        "state": (response.is_closed, response.is_stream_consumed),
        "request": response.request,
    }


@pytest.mark.parametrize("status", [200, 204, 401, 503])
@pytest.mark.parametrize(("content_type", "content"), BODIES.values(), ids=BODIES)
async def test_a_whole_response_is_what_httpx_would_have_read(
    status: int, content_type: bytes, content: bytes
) -> None:
    headers = [(b"Content-Type", content_type), (b"Retry-After", b"1"), (b"Set-Cookie", b"a"), (b"set-cookie", b"b")]
    read = httpx.Response(status, headers=headers, stream=httpx.ByteStream(content), request=REQUEST)
    await read.aread()
    whole = WholeResponse(status, headers, content, REQUEST)
    assert seen(whole) == seen(read)
    await whole.aclose()
    assert b"".join([part async for part in whole.aiter_bytes()]) == content
