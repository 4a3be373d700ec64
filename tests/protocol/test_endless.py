"""What has no end is refused within the bounds of a head, however it is cut: counted in bytes that are taken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.protocol.corpus import HOST
from tests.protocol.driver import Driver
from tests.protocol.served import warm

BOUND = 65_536
"""`max_header_bytes`, as it is by default."""
CHUNKED = b"POST /livez HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "a head of many lines": (b"GET /livez HTTP/1.1\r\n" + HOST, b"x: y\r\n"),
    "a head of one line": (b"GET /livez HTTP/1.1\r\n" + HOST + b"x: ", b"y"),
    "a path": (b"GET /", b"x"),
    "a method": (b"G", b"X"),
    "blank lines": (b"", b"\r\n"),
    "blank lines that are none": (b"", b"\n"),
    "blank lines behind a request": (b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n", b"\r\n"),
    "many trailers": (CHUNKED + b"0\r\n", b"x: y\r\n"),
    "one trailer": (CHUNKED + b"0\r\nx: ", b"y"),
    "a chunk's extension": (CHUNKED + b"1;", b"x"),
    "extensions of many chunks": (CHUNKED, b"1;" + b"x" * 50 + b"\r\na\r\n"),
    "zeros before a size": (CHUNKED, b"0"),
}


@pytest.mark.parametrize("size", [1, 1000, 50_000])
@pytest.mark.parametrize("name", ENDLESS)
async def test_what_has_no_end_is_refused(name: str, size: int) -> None:
    begin, more = ENDLESS[name]
    taken = 0
    endless = more * (4 * BOUND // len(more))

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        yield begin
        for at in range(0, len(endless), size):
            taken = at + size
            yield endless[at : at + size]

    async with warm() as gateway:
        answers, goes_on = await Driver(gateway).send(pieces(), shuts_down=False)
        assert gateway.calls == 0
    assert not goes_on
    assert taken <= BOUND * 5 // 4 + 3 * size  # content between it, and what is read while the refusal is on its way
    assert answers.count(b"HTTP/1.1 ") <= 2
