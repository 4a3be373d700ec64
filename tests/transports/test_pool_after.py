"""The pool: failures after which the platform may have seen the request, each seen on a real socket."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from gateway.transports.pool import MAX_HEADER
from tests import wire
from tests.transports.sockets import GOOD, HUGE, NOBODY, ask, call, keeping, resets, silent

SOON = 0.3
"""Seconds: a deadline that passes."""
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_server_that_hangs_up_without_an_answer() -> None:
    async with wire.scripted(wire.sending()) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            await ask(server.url)
    assert len(server.requests) == 1


async def test_a_server_that_hangs_up_before_it_reads() -> None:
    """It may have been read: nobody on this side can tell."""

    async def handle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with wire.listening(handle) as where:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)):
            await ask(f"http://{where}/")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-", GOOD[:-1]], ids=["none", "head", "body"])
async def test_a_connection_that_is_reset_during_the_answer(said: bytes) -> None:
    reading = asyncio.Event()

    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await reading.wait()
        resets(writer)

    async with wire.scripted(script) as server, wire.pool() as network:
        answer = asyncio.create_task(call(network, server.url))
        await asyncio.sleep(0.05)  # so that what was said is read before the reset takes it away
        reading.set()
        with pytest.raises(httpx.ReadError):
            await answer


@pytest.mark.parametrize(
    "said",
    [
        GOOD[:-1],
        CHUNKED,
        CHUNKED + b"2\r\n{",
        CHUNKED + b"2\r\n{}\r\n",
        CHUNKED + b"2\r\n{}\r\n0\r\n",
    ],
    ids=["of a known length", "before a chunk", "in a chunk", "between chunks", "before the last line"],
)
async def test_a_body_that_is_cut_off(said: bytes) -> None:
    async with wire.scripted(wire.sending(said)) as server:
        with pytest.raises(httpx.ReadError):
            await ask(server.url)


@pytest.mark.parametrize(
    "said",
    [
        b"220 mail.example ESMTP\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2 * MAX_HEADER + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 5000 + b"\r\n",
    ],
    ids=lambda said: said[:40].decode("latin-1").strip(),
)
async def test_a_head_that_is_not_http(said: bytes) -> None:
    async with wire.scripted(wire.sending(said)) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            await ask(server.url)


@pytest.mark.parametrize(
    "said", [b"zz\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}xx0\r\n\r\n", b"f" * 20 + b"\r\n{}"]
)
async def test_a_chunk_that_is_not_one(said: bytes) -> None:
    async with wire.scripted(wire.sending(CHUNKED + said)) as server:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await ask(server.url)


async def test_an_answer_that_does_not_come_in_time() -> None:
    with silent() as server, pytest.raises(httpx.ReadTimeout):
        await ask(f"http://{server.where}/", within=SOON)


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_a_server_that_leaves_while_a_body_is_sent() -> None:
    """Which of the two depends on whether the write or the read meets it first."""
    with silent() as server:
        running = asyncio.create_task(ask(f"http://{server.where}/", content=HUGE))
        (await server.heard()).close()
        with pytest.raises((httpx.WriteError, httpx.ReadError)):
            await running


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_a_body_that_nobody_reads_in_time() -> None:
    with silent() as server, pytest.raises(httpx.ReadTimeout):
        await ask(f"http://{server.where}/", within=SOON, content=HUGE)


@pytest.mark.parametrize(
    "drops",
    [
        [b"HTTP/1.1 200 OK\r\n", *[b"X: 1\r\n"] * 1000],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *[b"x"] * 1000],
        [CHUNKED, *[b"1\r\nx\r\n"] * 1000],
    ],
    ids=["head", "body", "chunks"],
)
async def test_an_answer_that_drips(drops: list[bytes]) -> None:
    async with wire.scripted(wire.sending(*drops, pause=0.01)) as server:
        with pytest.raises(httpx.ReadTimeout):
            await ask(server.url, within=SOON)


async def test_a_read_that_breaks_on_a_connection_that_was_reused_is_sent_once() -> None:
    """What is sent again is the retry's affair."""
    heads: list[bytes] = []
    async with wire.listening(_answers_once_then_drops(heads)) as where, wire.pool() as network:
        await call(network, f"http://{where}/")
        with pytest.raises(httpx.RemoteProtocolError):
            await call(network, f"http://{where}/")
    assert len(heads) == 2


def _answers_once_then_drops(heads: list[bytes]) -> wire.Handle:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(GOOD)
        heads.append(await reader.readuntil(b"\r\n\r\n"))

    return handle


async def test_after_any_failure_the_place_is_free_again() -> None:
    async with (
        wire.scripted(wire.sending(GOOD[:-1])) as broken,
        keeping(GOOD) as server,
        wire.pool(limit=1) as network,
    ):
        for _ in range(3):
            with pytest.raises(httpx.ReadError):
                await call(network, broken.url)
            with pytest.raises(httpx.ConnectError):
                await call(network, f"http://{NOBODY}/")
        assert (await call(network, server.url)).status_code == 200
