"""The pool: failures after which the platform has certainly not seen the request, each seen on a real socket."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import httpx
import pytest

from tests import wire
from tests.network.servers import Proxy
from tests.tls import Authority
from tests.transports.sockets import GOOD, NOBODY, ask, call, full, resets, silent, turns

SOON = 0.3
"""Seconds: a deadline that passes."""


async def test_a_refused_connection() -> None:
    with pytest.raises(httpx.ConnectError):
        await ask(f"http://{NOBODY}/")


async def test_a_name_that_nobody_has() -> None:
    with pytest.raises(httpx.ConnectError):
        await ask("http://nowhere.invalid/")


async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1))  # pragma: no cover  nobody is let in this far

    async with wire.listening(handle, Authority(tmp_path).server()) as where:
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            await ask(f"https://{where}/")
    assert heard == []


async def test_a_certificate_of_somebody_else(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    trusting = ssl.create_default_context(cafile=authority.file)

    async def read(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with wire.listening(read, authority.server()) as where:
        with pytest.raises(httpx.ConnectError, match="localhost"):
            await ask(f"https://localhost:{where.rpartition(':')[2]}/", pool={"tls": trusting})


async def test_a_server_that_does_not_speak_tls() -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")

    async with wire.listening(plain) as where:
        with pytest.raises(httpx.ConnectError):
            await ask(f"https://{where}/")


@pytest.mark.parametrize("leaves", [lambda writer: writer.close(), resets], ids=["closed", "reset"])
async def test_a_server_that_leaves_before_tls_is_agreed(leaves: wire.Script) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        leaves(writer)

    async with wire.listening(handle) as where:
        with pytest.raises(httpx.ConnectError):
            await ask(f"https://{where}/")


@pytest.mark.parametrize("url", ["gopher://acme.example/", "http:///path"], ids=["not HTTP", "no host"])
async def test_a_url_that_leads_nowhere(url: str) -> None:
    with pytest.raises(httpx.UnsupportedProtocol):
        await ask(url)


async def test_a_server_that_takes_nobody_in_time() -> None:
    with full() as where, pytest.raises(httpx.ConnectTimeout):
        await ask(f"http://{where}/", within=SOON)


async def test_tls_that_is_not_agreed_on_in_time() -> None:
    with silent() as server, pytest.raises(httpx.ConnectTimeout):
        await ask(f"https://{server.where}/", within=SOON)


async def test_a_deadline_that_has_passed() -> None:
    async with wire.scripted(wire.sending(GOOD)) as server:
        with pytest.raises(httpx.PoolTimeout):
            await ask(server.url, within=-1.0)
    assert server.requests == []


async def test_a_connection_that_is_not_free_in_time() -> None:
    with silent() as server:
        async with wire.pool(limit=1) as network:
            first = asyncio.create_task(call(network, f"http://{server.where}/first"))
            peer = await server.heard()
            with pytest.raises(httpx.PoolTimeout):
                await call(network, f"http://{server.where}/second", within=SOON)
            peer.send(GOOD)
            assert (await first).status_code == 200
            peer.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_not_there(scheme: str) -> None:
    with pytest.raises(httpx.ProxyError):
        await ask(f"{scheme}://acme.example/", pool={"proxy": f"http://{NOBODY}"})


async def test_a_proxy_that_refuses_the_tunnel() -> None:
    async with Proxy(f"http://{NOBODY}", "403 Forbidden").running() as way:
        with pytest.raises(httpx.ProxyError, match="Forbidden"):
            await ask("https://acme.example/", pool={"proxy": way})


@pytest.mark.parametrize(
    "says",
    [b"", b"HTTP/1.1 200 O", b"220 mail.example ESMTP\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"],
    ids=["nothing", "half an answer", "no HTTP", "that there is a tunnel, and hangs up"],
)
async def test_a_proxy_that_drops_the_tunnel(says: bytes) -> None:
    async with wire.scripted(wire.sending(says)) as proxy:
        with pytest.raises(httpx.ConnectError):
            await ask("https://acme.example/", pool={"proxy": proxy.url})
    assert [head.split(b" ")[:2] for head in proxy.requests] == [[b"CONNECT", b"acme.example:443"]]


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["asked for it", "in it"])
async def test_a_tunnel_that_hangs(says: bytes) -> None:
    async with wire.scripted(wire.sending(says, pause=30)) as proxy:
        with pytest.raises(httpx.ConnectTimeout):
            await ask("https://acme.example/", within=SOON, pool={"proxy": proxy.url})


async def test_a_pool_that_is_closed_while_a_call_waits_for_a_connection() -> None:
    with silent() as server:
        network = wire.pool(limit=1)
        first = asyncio.create_task(call(network, f"http://{server.where}/"))
        peer = await server.heard()
        second = asyncio.create_task(call(network, f"http://{server.where}/"))
        await turns()
        await network.aclose()
        with pytest.raises(httpx.RemoteProtocolError):
            await first
        with pytest.raises(httpx.ConnectError):
            await second
        peer.close()


async def test_a_pool_that_was_closed() -> None:
    async with wire.scripted(wire.sending(GOOD)) as server:
        network = wire.pool()
        await call(network, server.url)
        await network.aclose()
        with pytest.raises(httpx.ConnectError):
            await call(network, server.url)
    assert len(server.requests) == 1
