"""Bodies that can't be read: what is lost, and what is not."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import httpx
import pytest

from gateway.transports.response import MAX_BODY
from tests import wire

SPOILT = {
    "an encoding that was not asked for": (b"\x0b\x02\x80{}\x03", "Content-Encoding: br"),
    "not gzip": (b"{}", "Content-Encoding: gzip"),
    "gzip that is cut off": (gzip.compress(b"{}")[:-8], "Content-Encoding: gzip"),
    "a bomb": (gzip.compress(bytes(20 * MAX_BODY)), "Content-Encoding: gzip"),
    "two encodings": (gzip.compress(gzip.compress(b"{}")), "Content-Encoding: gzip, gzip"),
    "a second member that is cut off": (gzip.compress(b"{") + gzip.compress(b"}")[:-4], "Content-Encoding: gzip"),
    "something behind a member": (gzip.compress(b"{}") + b"{}", "Content-Encoding: gzip"),
    "members without end": (gzip.compress(b"") * 200_000, "Content-Encoding: gzip"),
    "not deflate": (b"{}", "Content-Encoding: deflate"),
    "deflate that is cut off": (zlib.compress(b"{}")[:-2], "Content-Encoding: deflate"),
    "one byte of deflate": (b"x", "Content-Encoding: deflate"),
    "something behind deflate": (zlib.compress(b"{}") + b"{}", "Content-Encoding: deflate"),
    "more than the cap": (b" " * (MAX_BODY + 1), "X-Plain: yes"),
}
EACH = pytest.mark.parametrize(("body", "header"), SPOILT.values(), ids=SPOILT)


async def ask(*parts: bytes) -> httpx.Response:
    loop = asyncio.get_running_loop()
    async with wire.scripted(wire.sending(*parts)) as server, wire.pool() as network:
        extensions = {"deadline": loop.time() + 60}
        return await network.handle_async_request(httpx.Request("GET", server.url, extensions=extensions))


@EACH
async def test_a_good_answer_is_lost(body: bytes, header: str) -> None:
    with pytest.raises(httpx.DecodingError):
        await ask(wire.answer(body, header))


@EACH
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_a_refusal_or_a_failure_is_one_all_the_same(status: int, body: bytes, header: str) -> None:
    answer = await ask(wire.answer(body, header, "Retry-After: 7", status=f"{status} No"))
    assert (answer.status_code, answer.headers["retry-after"], answer.content) == (status, "7", b"")


RAW = zlib.compressobj(wbits=-15)
PLAIN = b'{"a": "' + b"b" * 10_000 + b'"}'
GOOD = {
    "gzip": gzip.compress(PLAIN),
    "x-gzip": gzip.compress(PLAIN),
    "GZIP": gzip.compress(PLAIN),
    " gzip ": gzip.compress(PLAIN),
    "gzip, identity": gzip.compress(PLAIN),
    "gzip ": gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:200]) + gzip.compress(PLAIN[200:]),
    "deflate": zlib.compress(PLAIN),
    "Deflate": RAW.compress(PLAIN) + RAW.flush(),
    "identity": PLAIN,
    "Identity": PLAIN,
}


@pytest.mark.parametrize("pieces", [1, 7], ids=["at once", "in pieces"])
@pytest.mark.parametrize("encoding", GOOD)
async def test_what_servers_send_is_read(encoding: str, pieces: int) -> None:
    whole = wire.answer(GOOD[encoding], f"Content-Encoding: {encoding}")
    step = len(whole) // pieces + 1
    parts = [whole[at : at + step] for at in range(0, len(whole), step)]
    assert (await ask(*parts)).content == PLAIN


async def test_members_may_be_cut_anywhere() -> None:
    body = gzip.compress(b"[1,") + gzip.compress(b"2]")
    head = wire.answer(body, "Content-Encoding: gzip")[: -len(body)]
    assert (await ask(head, *(bytes([byte]) for byte in body))).content == b"[1,2]"


@pytest.mark.parametrize(("headers", "is_read"), [(150, True), (290, True), (320, False), (1900, False)])
async def test_many_headers(headers: int, is_read: bool) -> None:
    answer = wire.answer(b"{}", *(f"X-{number}: {number}" for number in range(headers)))
    if is_read:
        assert len((await ask(answer)).headers) >= headers
    else:
        with pytest.raises(httpx.DecodingError):
            await ask(answer)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "identity", "br"])
@pytest.mark.parametrize("status", [200, 500])
async def test_nothing_is_nothing_in_any_encoding(status: int, encoding: str) -> None:
    answer = await ask(wire.answer(b"", f"Content-Encoding: {encoding}", status=f"{status} As It Is"))
    assert (answer.status_code, answer.content) == (status, b"")
