"""The innermost transport: what leaves, what comes back, and which connection is used again."""

from __future__ import annotations

import asyncio
import gzip

import httpx
import pytest

from gateway.transports.pool import USER_AGENT
from tests import wire
from tests.transports.sockets import GOOD, HUGE, NOBODY, ask, call, keeping, silent, turns

UNASKED = wire.answer(b'{"whose":"nobody\'s"}', status="408 Request Timeout")


async def test_a_platform_sees_who_asks_and_what_is_accepted_and_nothing_else_of_ours() -> None:
    async with keeping(GOOD) as server:
        await ask(f"{server.url}/")
    where = server.url.removeprefix("http://")
    lines = server.requests[0].decode().split("\r\n")
    assert lines[0] == "GET / HTTP/1.1"
    assert sorted(filter(None, lines[1:])) == ["Accept-Encoding: gzip", f"Host: {where}", f"User-Agent: {USER_AGENT}"]


@pytest.mark.parametrize(
    "target",
    ["/a%2Fb/%3F%23/%C3%A9?q=a%20b+c%26d&e=%5B%5D&f=1,2", "/~a/:@!$&'()*+,;=-._?/?:@", "/%00%ff", "/?x", "//a//b"],
)
async def test_a_path_and_a_query_leave_as_the_request_has_them(target: str) -> None:
    async with keeping(GOOD) as server:
        await ask(server.url + target)
        expected = httpx.Request("GET", server.url + target).url.raw_path
    assert server.requests[0].split(b" ")[1] == expected


async def test_names_and_values_of_headers_leave_as_the_request_has_them_and_in_their_order() -> None:
    headers = [
        (b"X-ODD-name_1", b'a "b"; c=\t d, %41 ~'),
        (b"x-twice", b"1"),
        (b"Authorization", b"Bearer ab=="),
        (b"x-twice", b"2"),
    ]
    async with keeping(GOOD) as server:
        await ask(server.url, headers=headers)
    assert b"\r\n".join(name + b": " + value for name, value in headers) in server.requests[0]


@pytest.mark.parametrize("header", [{"sessionToken": "one\r\nX-Two: 2"}, {"a": "b\nc"}, {"a": "\0"}, {"a\r": "b"}])
async def test_no_header_becomes_two(header: dict[str, str]) -> None:
    """That is an adapter's bug, and no failure of the platform."""
    async with keeping(GOOD, GOOD) as server, wire.pool(limit=1) as network:
        with pytest.raises(ValueError, match="more than one line"):
            await call(network, server.url, headers=header)
        assert (await call(network, server.url)).status_code == 200
    assert len(server.requests) == 1


async def test_the_host_is_that_of_the_request() -> None:
    async with keeping(GOOD) as server:
        await ask(server.url, headers={"Host": "acme.example"})
    assert server.requests[0].count(b"Host: ") == 1
    assert b"Host: acme.example\r\n" in server.requests[0]


@pytest.mark.parametrize(
    "content", [b"", b"{}", bytes(range(256)), b"x" * 200_000], ids=["none", "short", "bytes", "long"]
)
async def test_a_body_leaves_as_the_request_has_it(content: bytes) -> None:
    bodies = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Content-Type: application/json\r\n" in head
        assert b"transfer-encoding" not in head.lower()
        (length,) = [line[16:] for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")]
        bodies.append(await reader.readexactly(int(length)))
        writer.write(GOOD)

    async with wire.listening(handle) as where:
        await ask(f"http://{where}/", content=content, headers={"Content-Type": "application/json"})
    assert bodies == [content]


async def test_an_answer_keeps_its_headers_but_those_of_the_wire() -> None:
    async with keeping(wire.answer(b"{}", "Retry-After: 7", "X-Twice: 1", "X-Twice: 2")) as server:
        answer = await ask(server.url)
    assert answer.headers.raw == [
        (b"Content-Type", b"application/json"),
        (b"Retry-After", b"7"),
        (b"X-Twice", b"1"),
        (b"X-Twice", b"2"),
    ]
    assert answer.content == b"{}"


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + GOOD, b"{}"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\n{\r\n1\r\n}\r\n0\r\nX: y\r\n\r\n", b"{}"),
        (wire.answer(gzip.compress(b"{}"), "Content-Encoding: gzip"), b"{}"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", b"{}"),
        (b"HTTP/1.0 200 OK\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", b""),
    ],
    ids=["after others", "in chunks", "gzip", "until the end", "HTTP/1.0", "without a reason"],
)
async def test_an_answer_is_read_whole_however_it_is_framed(said: bytes, body: bytes) -> None:
    async with keeping(said) as server:
        answer = await ask(server.url)
    assert (answer.status_code, answer.content) == (200, body)


async def test_a_redirect_is_an_answer() -> None:
    """It leads to a port at which nobody listens, and following it would fail."""
    async with keeping(wire.answer(b"", f"Location: http://{NOBODY}/", status="302 Found")) as server:
        assert (await ask(server.url)).status_code == 302


@pytest.mark.parametrize(
    "cookie", ["a=b; Path=/", "a=b; Domain=127.0.0.1", '"=;;=\x01', "a=b; Path=\x7f; Expires=never"]
)
async def test_a_cookie_is_not_sent_back(cookie: str) -> None:
    said = wire.answer(b"{}", f"Set-Cookie: {cookie}")
    async with keeping(said, said) as server, wire.pool() as network:
        await call(network, server.url)
        await call(network, server.url)
    assert b"cookie" not in b"".join(server.requests).lower()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_environment_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, f"http://{NOBODY}")
    async with keeping(GOOD) as server:
        assert (await ask(server.url)).status_code == 200


async def test_calls_in_a_row_share_a_connection() -> None:
    async with keeping(*[GOOD] * 10) as server, wire.pool() as network:
        for _ in range(10):
            await call(network, server.url)
    assert (len(server.requests), server.ever) == (10, 1)


async def test_calls_at_once_have_a_connection_each() -> None:
    everybody = asyncio.Barrier(150)

    async def together(writer: asyncio.StreamWriter) -> None:
        await everybody.wait()
        writer.write(GOOD)

    async with wire.scripted(together) as server, wire.pool(limit=150) as network:
        answers = await asyncio.gather(*(call(network, server.url) for _ in range(150)))
    assert {each.status_code for each in answers} == {200}


async def test_there_are_no_more_connections_than_the_limit() -> None:
    async with keeping(*[GOOD] * 100) as server, wire.pool(limit=3) as network:
        await asyncio.gather(*(call(network, server.url) for _ in range(100)))
    assert (len(server.requests), server.ever) == (100, 3)


WHETHER_THE_LOOP_KNOWS = pytest.mark.parametrize(
    "knows", [True, False], ids=["the loop knows", "it is in the kernel's buffer"]
)


@WHETHER_THE_LOOP_KNOWS
async def test_a_connection_that_was_closed_while_idle_is_never_handed_out(knows: bool) -> None:
    with silent() as server:
        async with wire.pool() as network:
            for _ in range(50):
                running = asyncio.create_task(call(network, f"http://{server.where}/"))
                with await server.heard() as peer:
                    peer.send(GOOD)
                    assert (await running).status_code == 200
                if knows:
                    await turns()


@WHETHER_THE_LOOP_KNOWS
@pytest.mark.parametrize("said", [UNASKED, UNASKED[:20], b"\r\n"], ids=["whole", "a part", "an empty line"])
async def test_what_comes_unasked_is_never_taken_for_the_next_answer(said: bytes, knows: bool) -> None:
    with silent() as server:
        async with wire.pool() as network:
            running = asyncio.create_task(call(network, f"http://{server.where}/"))
            with await server.heard() as first:
                first.send(GOOD)
                await running
                first.send(said)
                if knows:
                    await turns()
                running = asyncio.create_task(call(network, f"http://{server.where}/"))
                with await server.heard() as second:
                    second.send(GOOD)
                    assert (await running).content == b"{}"


async def test_a_second_answer_in_the_same_breath_is_never_taken_for_the_next() -> None:
    async with keeping(GOOD + UNASKED, GOOD) as server, wire.pool() as network:
        for _ in range(3):
            assert (await call(network, server.url)).content == b"{}"
    assert (len(server.requests), server.ever) == (3, 3)


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_an_answer_before_the_request_was_read_whole_ends_the_connection() -> None:
    """Or the rest of the body would be taken for the next request."""
    with silent() as server:
        async with wire.pool() as network:
            running = asyncio.create_task(call(network, f"http://{server.where}/", content=HUGE))
            with await server.heard() as first:
                first.send(UNASKED)
                assert (await running).status_code == 408
                running = asyncio.create_task(call(network, f"http://{server.where}/"))
                with await server.heard() as second:
                    second.send(GOOD)
                    assert (await running).content == b"{}"
