"""What our protocol does in its own way with what is well-formed."""

from __future__ import annotations

import asyncio
import gc

import pytest

from gateway.server.protocol import Protocol
from tests.protocol.lines import GET, line


async def test_an_answer_is_one_write() -> None:
    async with line() as it:
        it.writer.write(GET % 103)
        whole = await it.reader.read(65536)
        head, _, body = whole.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\ndate: ")
        assert b'"user_id":"103"' in body
        assert b"content-length: %d\r\n" % len(body) in head + b"\r\n"


async def test_requests_that_come_together_are_answered_in_their_order() -> None:
    async with line() as it:
        it.writer.write(b"".join(GET % user for user in (101, 102, 103, 1001)))
        users = [(await it.answer())[1].partition(b'"user_id":"')[2].partition(b'"')[0] for _ in range(4)]
        assert users == [b"101", b"102", b"103", b"1001"]


async def test_whatever_is_asked_for_is_answered() -> None:
    async with line() as it:
        for path in (
            "/livez",
            "/readyz",
            "/metrics",
            "/v1/platforms",
            "/v1/connections?limit=3",
            "/v1/connections/acme/1",
        ):
            it.writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head, body = await it.answer()
            assert head.startswith(b"HTTP/1.1 200 OK\r\n"), path
            assert body, path
        assert b'"user_id":"1"' in body


async def test_a_connection_stays_open() -> None:
    async with line() as it:
        for user in (101, 102):
            it.writer.write(GET % user)
            assert b"%d" % user in (await it.answer())[1]


async def test_one_that_is_to_be_closed_is_closed() -> None:
    async with line() as it:
        it.writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        whole = await it.reader.read()
        assert b"\r\nconnection: close\r\n" in whole


async def test_an_answer_that_closes_it_closes_it() -> None:
    async with line() as it:
        it.writer.write(b"GET /close HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await it.reader.read()).endswith(b"bye")


async def test_nothing_is_done_for_who_can_not_be_answered() -> None:
    async with line() as it:
        last = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        it.writer.write(last + b"POST /v1/connections/acme/102/accept HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await it.rest()).count(b"x-request-id") == 1
        await asyncio.sleep(0.1)
        assert it.gateway.calls == 0


async def test_http_1_0_is_answered_and_closed() -> None:
    async with line() as it:
        it.writer.write(b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert (await it.reader.read()).endswith(b'{"status":"live"}')


async def test_head_has_no_body() -> None:
    async with line() as it:
        it.writer.write(b"HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" + GET % 101)
        head = await it.reader.readuntil(b"\r\n\r\n")
        assert b"content-length: 17\r\n" in head
        assert b'"user_id":"101"' in (await it.answer())[1]


async def test_an_answer_in_parts_is_sent_in_parts() -> None:
    async with line() as it:
        it.writer.write(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"transfer-encoding: chunked" in await it.reader.readuntil(b"\r\n\r\n")
        assert await it.reader.readuntil(b"0\r\n\r\n") == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


async def test_a_header_that_would_be_two_is_not_sent() -> None:
    async with line() as it:
        it.writer.write(b"GET /two-headers HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"\r\ny: 2" not in await it.reader.read(65536)


async def test_an_idle_connection_is_closed_and_one_in_use_is_not() -> None:
    async with line() as it:
        it.writer.write(GET % 101)
        await it.answer()
        (protocol,) = [each for each in _protocols() if each._timer is not None]  # noqa: SLF001  five seconds are long
        protocol._fire()  # noqa: SLF001  as above
        assert not protocol.transport.is_closing()
        protocol._until = 0.0  # noqa: SLF001  as above
        protocol._fire()  # noqa: SLF001  as above
        assert await it.reader.read() == b""


def _protocols() -> list[Protocol]:
    return [each for each in gc.get_objects() if type(each) is Protocol]


@pytest.mark.parametrize("path", [b"/livez", b"/readyz", b"/metrics"])
async def test_a_probe_of_http_1_0_needs_no_host(path: bytes) -> None:
    """As HAProxy asks unless it is told otherwise."""
    async with line() as it:
        it.writer.write(b"GET " + path + b" HTTP/1.0\r\n\r\n")
        assert (await it.rest()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "head",
    [b"GET /docs HTTP/1.0\r\n\r\n", b"GET /livez HTTP/1.1\r\n\r\n", b"GET /livez HTTP/1.0\r\nHost: a b\r\n\r\n"],
)
async def test_nothing_else_goes_without_a_host(head: bytes) -> None:
    async with line() as it:
        it.writer.write(head)
        assert (await it.reader.read(65536)).startswith(b"HTTP/1.1 400 ")
