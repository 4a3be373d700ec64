"""What sockets can break, on real sockets."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Callable

import pytest

from adapters.contract import DeadlineExceeded, InvalidAnswer, Status, Unreachable, Viewer
from adapters.secret import Token
from adapters.simulation import serving
from adapters.simulation.faults import Fault
from adapters.user_ids import UserKey
from gateway.transports.response import MAX_BODY
from tests import wire
from tests.contract.dialects import Platform
from tests.wire import pool

VIEWER = Viewer("acme", b"1", Token("demo"))


async def read(platform: Platform, url: str, within: float = 60.0, user_id: UserKey = None) -> Status:
    """Ask the platform at `url` with a caller's token, over the network."""
    async with pool() as network:
        adapter = platform.over(network, url, within, mode="caller")
        return (await platform.read(user_id, adapter, VIEWER)).status


async def test_a_read_over_the_network(platform: Platform) -> None:
    async with serving(platform.simulator) as url:
        assert await read(platform, url, user_id=platform.id(101)) is Status.CONNECTED


async def test_the_base_url_may_carry_a_path(platform: Platform) -> None:
    async with wire.scripted(wire.sending(wire.answer(platform.dialect.good.encode()))) as server:
        await read(platform, f"{server.url}/behind/a/proxy/")
    assert server.requests[0].startswith(b"GET /behind/a/proxy/")


async def test_a_refused_connection_is_unreachable(platform: Platform) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match="no connection"):
        await read(platform, f"http://127.0.0.1:{port}")


async def test_a_dropped_connection_is_unreachable(platform: Platform) -> None:
    platform.simulator.misbehave(Fault(drop=True))
    async with serving(platform.simulator) as url:
        with pytest.raises(Unreachable, match="lost"):
            await read(platform, url)
    assert platform.simulator.calls.calls == 1


async def test_an_answer_that_breaks_off_is_unreachable(platform: Platform) -> None:
    whole = wire.answer(platform.dialect.good.encode())
    async with wire.scripted(wire.sending(whole[:-5])) as server:
        with pytest.raises(Unreachable):
            await read(platform, server.url)


async def test_an_answer_that_is_not_http_is_unreachable(platform: Platform) -> None:
    async with wire.scripted(wire.sending(b"220 mail.example ESMTP\r\n\r\n")) as server:
        with pytest.raises(Unreachable):
            await read(platform, server.url)


async def test_a_platform_that_hangs_meets_the_deadline(platform: Platform) -> None:
    platform.simulator.misbehave(Fault(delay=30))
    async with serving(platform.simulator) as url:
        with pytest.raises(DeadlineExceeded):
            await read(platform, url, within=0.1)


async def test_a_body_that_drips_meets_the_deadline(platform: Platform) -> None:
    whole = wire.answer(b" " * 10_000)
    drops = [whole[:-10_000], *(b" " for _ in range(1000))]
    async with wire.scripted(wire.sending(*drops, pause=0.01)) as server:
        with pytest.raises(DeadlineExceeded):
            await read(platform, server.url, within=0.1)


async def test_a_head_that_drips_meets_the_deadline(platform: Platform) -> None:
    drops = [b"HTTP/1.1 200 OK\r\n", *(f"X-{number}: 1\r\n".encode() for number in range(1000))]
    async with wire.scripted(wire.sending(*drops, pause=0.01)) as server:
        with pytest.raises(DeadlineExceeded):
            await read(platform, server.url, within=0.1)


async def test_a_redirect_is_never_followed(platform: Platform) -> None:
    async with wire.scripted(wire.sending(wire.answer(platform.dialect.good.encode()))) as elsewhere:
        there = f"Location: {elsewhere.url}/"
        async with wire.scripted(wire.sending(wire.answer(b"{}", there, status="302 Found"))) as server:
            with pytest.raises(InvalidAnswer):
                await read(platform, server.url)
    assert elsewhere.requests == []


async def test_a_body_over_the_cap_is_not_read_to_its_end(platform: Platform) -> None:
    endless = [b"x" * 65536] * 10_000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 655360000\r\n\r\n"
    async with wire.scripted(wire.sending(head, *endless)) as server:
        with pytest.raises(InvalidAnswer):
            await read(platform, server.url)


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("more", [0, 1])
async def test_a_good_answer_may_be_as_long_as_the_cap(
    platform: Platform, compress: Callable[[bytes], bytes], more: int
) -> None:
    body = compress(platform.dialect.good.encode().ljust(MAX_BODY + more))
    headers = ["Content-Encoding: gzip"] if compress is gzip.compress else []
    async with wire.scripted(wire.sending(wire.answer(body, *headers))) as server:
        if more:
            with pytest.raises(InvalidAnswer, match="too large"):
                await read(platform, server.url)
        else:
            assert await read(platform, server.url) is Status.CONNECTED


@pytest.mark.parametrize(
    ("encoding", "spoil"),
    [
        pytest.param("gzip", lambda good: gzip.compress(good.ljust(50_000_000)), id="a bomb"),
        pytest.param("gzip", lambda good: good, id="not compressed"),
        pytest.param("gzip", lambda good: gzip.compress(good)[:-8], id="without its checksum"),
        pytest.param("gzip", lambda good: gzip.compress(good) + b" ", id="goes on"),
        pytest.param("br", lambda good: good, id="not asked for"),
    ],
)
async def test_a_body_that_is_not_what_it_says_is_an_invalid_answer(
    platform: Platform, encoding: str, spoil: Callable[[bytes], bytes]
) -> None:
    body = spoil(platform.dialect.good.encode())
    async with wire.scripted(wire.sending(wire.answer(body, f"Content-Encoding: {encoding}"))) as server:
        with pytest.raises(InvalidAnswer):
            await read(platform, server.url)


async def test_cookies_are_not_kept(platform: Platform) -> None:
    answer = wire.answer(platform.dialect.good.encode(), "Set-Cookie: a=b; Path=/")
    async with wire.scripted(wire.sending(answer)) as server, pool() as network:
        adapter = platform.over(network, server.url, mode="caller")
        await adapter.read(VIEWER, (platform.user,))
        await adapter.read(VIEWER, (platform.user,))
    assert len(server.requests) == 2
    assert b"cookie" not in b"".join(server.requests).lower()


async def test_many_reads_at_once_leave_no_task_behind(platform: Platform) -> None:
    async with serving(platform.simulator) as url, pool() as network:
        adapter = platform.over(network, url, mode="caller")
        await asyncio.gather(*(adapter.read(VIEWER, (user,)) for user in platform.ids(*range(1000, 1200))))
        assert platform.simulator.calls.calls == 200
    assert asyncio.all_tasks() == {asyncio.current_task()}
