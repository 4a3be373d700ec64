"""What a caller may take: so long, so large, and no longer."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from adapters.simulation.faults import Fault
from tests.protocol.lines import GET, PATIENCE, line

POST = b"POST /v1/lookup HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
USERS = b'{"users":[{"platform":"acme","user_id":"103"}]}'


@pytest.mark.parametrize(
    "said", [b"", b"GET /livez HTTP/1.1\r\nHost: local", b"\r\n\r\n"], ids=["nothing", "half", "no line"]
)
async def test_who_does_not_send_a_head_in_time_is_cut_off(said: bytes) -> None:
    async with line(header_timeout=0.2) as it:
        it.writer.write(said)
        assert await it.rest() == b""


async def test_a_head_that_drips_is_cut_off() -> None:
    async with line(header_timeout=0.3) as it:

        async def drip() -> None:
            it.writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n")
            while not it.writer.is_closing():
                it.writer.write(b"x: y\r\n")
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        assert await it.rest() == b""
        dripping.cancel()


async def test_a_second_head_has_as_long_as_the_first() -> None:
    async with line(header_timeout=0.2) as it:
        it.writer.write(GET % 103)
        assert b'"103"' in (await it.answer())[1]
        it.writer.write(b"GET /livez HTTP/1.1\r\nHost: local")
        assert await it.rest() == b""


async def test_a_head_that_has_begun_has_more_time_than_none() -> None:
    async with line(header_timeout=PATIENCE, keep_alive_timeout=0.2) as it:
        it.writer.write(GET % 101)
        await it.answer()
        it.writer.write((GET % 103)[:20])
        await asyncio.sleep(0.6)
        it.writer.write((GET % 103)[20:])
        assert b'"103"' in (await it.answer())[1]
        assert await it.rest() == b""


async def test_a_body_that_does_not_come_does_nothing_and_is_cut_off() -> None:
    async with line(header_timeout=0.2) as it:
        calls = it.gateway.calls
        action = b"POST /v1/connections/acme/102/accept HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12"
        it.writer.write(action)
        assert await it.rest() == b""
        assert it.gateway.calls == calls
        assert it.gateway.acme.platform.connection(1, 102) == "PENDING_INCOMING"


async def test_a_body_may_take_as_long_as_a_head_again() -> None:
    async with line(header_timeout=2.0) as it:
        it.writer.write(POST % len(USERS))
        await asyncio.sleep(0.05)
        it.writer.write(USERS)
        assert b'"103"' in (await it.answer())[1]


async def test_an_answer_may_take_longer_than_a_head() -> None:
    async with line(header_timeout=0.2) as it:
        it.gateway.acme.misbehave(Fault(delay=1.0))
        it.writer.write(GET % 103)
        assert b'"user_id":"103"' in (await it.answer())[1]


@pytest.mark.parametrize("connection", [b"close", b"keep-alive"])
async def test_who_does_not_read_is_cut_off(connection: bytes) -> None:
    async with line(header_timeout=0.2) as it:
        transport = cast("asyncio.Transport", it.writer.transport)
        transport.pause_reading()
        it.writer.write(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: %s\r\n\r\n" % connection)
        await asyncio.sleep(1.0)
        transport.resume_reading()
        assert len(await it.rest()) < 32 * 1024 * 1024


async def test_who_reads_slowly_has_it_all() -> None:
    async with line(header_timeout=0.5) as it:
        it.writer.write(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            head, body = await it.answer()
        assert head.startswith(b"HTTP/1.1 200 ")
        assert len(body) == 32 * 1024 * 1024


@pytest.mark.parametrize("size", [1000, 3000, 70_000])
@pytest.mark.parametrize("where", ["header", "path", "many"])
async def test_a_head_of_more_bytes_is_refused(size: int, where: str) -> None:
    async with line(max_header_bytes=2048) as it:
        match where:
            case "header":
                head = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n" % (b"x" * size)
            case "path":
                head = b"GET /livez?%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"x" * size)
            case _:
                more = b"".join(b"x%d: %s\r\n" % (number, b"y" * (size // 20)) for number in range(20))
                head = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % more
        it.writer.write(head)
        said = await it.reader.readuntil(b"\r\n\r\n")
        assert said.startswith(b"HTTP/1.1 200 " if size == 1000 else b"HTTP/1.1 400 ")


async def test_a_head_without_end_is_refused() -> None:
    async with line(max_header_bytes=2048, header_timeout=2 * PATIENCE) as it:
        it.writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ")
        for _ in range(100):
            it.writer.write(b"x" * 1000)
            await asyncio.sleep(0)
        answer = await it.rest()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
        assert it.writer.is_closing() or it.reader.at_eof()


async def test_what_comes_with_a_head_does_not_count() -> None:
    """A body of 200 KB in one piece with its head."""
    async with line(max_header_bytes=2048) as it:
        body = USERS + b" " * 200_000
        it.writer.write(POST % len(body) + body + GET % 101)
        assert b'"103"' in (await it.answer())[1]
        assert b'"101"' in (await it.answer())[1]


async def test_more_than_a_hundred_headers_are_refused() -> None:
    async with line() as it:
        it.writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"x: y\r\n" * 99 + b"\r\n")
        assert (await it.answer())[0].startswith(b"HTTP/1.1 200 ")
        it.writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"x: y\r\n" * 100 + b"\r\n")
        head, body = await it.answer()
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b'"type":"/problems/invalid-request"' in body
        assert b"more than 100 headers" in body
