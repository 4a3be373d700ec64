"""Bodies that can't be read: what is lost, and what is not."""

from __future__ import annotations

import asyncio
import gzip

import httpx
import pytest

from gateway.transports.answer import MAX_BODY
from tests import wire

SPOILT = {
    "an encoding that was not asked for": (b"\x0b\x02\x80{}\x03", "Content-Encoding: br"),
    "not gzip": (b"{}", "Content-Encoding: gzip"),
    "gzip that is cut off": (gzip.compress(b"{}")[:-8], "Content-Encoding: gzip"),
    "a bomb": (gzip.compress(bytes(20 * MAX_BODY)), "Content-Encoding: gzip"),
    "more than the cap": (b" " * (MAX_BODY + 1), "X-Plain: yes"),
}
EACH = pytest.mark.parametrize(("body", "header"), SPOILT.values(), ids=SPOILT)


async def ask(answer: bytes) -> httpx.Response:
    loop = asyncio.get_running_loop()
    async with wire.scripted(wire.sending(answer)) as server, wire.pool() as network:
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


@pytest.mark.parametrize("status", [200, 500])
async def test_nothing_is_nothing_in_any_encoding(status: int) -> None:
    answer = await ask(wire.answer(b"", "Content-Encoding: gzip", status=f"{status} As It Is"))
    assert (answer.status_code, answer.content) == (status, b"")
