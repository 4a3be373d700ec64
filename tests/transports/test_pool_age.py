"""Connections are replaced in time, names are resolved for their own platform alone, and a shortage is ours."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from adapters.extensions import LocalShortage, NameNotResolved
from gateway.transports import aiohttp_internals as internals
from gateway.transports.pool import Pool
from gateway.transports.resolver import Address, Resolver
from tests import wire
from tests.transports.sockets import GOOD, call, keeping


@asynccontextmanager
async def pooled(look_up: Callable[[str], list[Address]]) -> AsyncIterator[Pool]:
    async with wire.pool(resolver=Resolver(look_up)) as network:
        yield network


def at(*addresses: str) -> list[Address]:
    return [Address(socket.AF_INET, each) for each in addresses]


async def test_a_connection_is_used_until_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that is never idle; it is replaced, and no call is lost."""
    async with keeping(*[GOOD] * 100) as server, wire.pool() as network:
        for _ in range(5):
            assert (await call(network, server.url)).status_code == 200
        assert server.ever == 1
        monkeypatch.setattr(internals, "MAX_AGE", 0.0)
        assert (await call(network, server.url)).status_code == 200
        assert server.ever == 1  # it was made when they could grow older
        connector: Any = network._connector  # noqa: SLF001  a minute is long
        (protocol,) = [each for kept in connector._conns.values() for each, _ in kept]  # noqa: SLF001  as above
        protocol.retires_at = asyncio.get_running_loop().time()
        for _ in range(3):
            assert (await call(network, server.url)).status_code == 200
        assert server.ever == 4


def test_not_all_of_them_grow_old_at_once() -> None:
    loop = asyncio.new_event_loop()
    ages = [internals.ConnectionProtocol(loop).retires_at - loop.time() for _ in range(100)]
    loop.close()
    assert 53 < min(ages) < max(ages) < 67
    assert max(ages) - min(ages) > 5


async def test_a_name_that_can_not_be_resolved_is_said_to_be_so() -> None:
    def fails(_name: str) -> list[Address]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with pooled(fails) as network:
        with pytest.raises(NameNotResolved):
            await call(network, "http://acme.example/")


async def test_a_name_that_hangs_is_not_the_platform_that_hangs() -> None:
    released = threading.Event()

    def hangs(_name: str) -> list[Address]:
        released.wait()
        return at("127.0.0.1")

    async with pooled(hangs) as network:
        with pytest.raises(NameNotResolved):
            await call(network, "http://acme.example/", within=0.1)
        released.set()


async def test_all_addresses_are_tried() -> None:
    async with keeping(GOOD) as server, pooled(lambda _name: at("127.0.0.99", "127.0.0.1")) as network:
        port = server.url.rpartition(":")[2]
        assert (await call(network, f"http://acme.example:{port}/")).content == b"{}"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL])
async def test_a_shortage_of_this_machine_is_not_the_platforms(number: int) -> None:
    def short(_name: str) -> list[Address]:
        raise OSError(number, "short")

    async with pooled(short) as network:
        with pytest.raises(LocalShortage):
            await call(network, "http://acme.example/")


async def test_a_process_without_descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with keeping(GOOD) as server, wire.pool() as network:
        taken: list[socket.socket] = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        try:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(socket.socket())
            with pytest.raises(LocalShortage):
                await call(network, server.url)
        finally:
            for each in taken:
                each.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    "interim", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"]
)
async def test_a_few_interim_answers_are_passed_over(interim: bytes) -> None:
    async with (
        keeping(interim * internals.MAX_INTERIM + wire.answer(b"x" * 100_000)) as server,
        wire.pool() as network,
    ):
        assert len((await call(network, server.url)).content) == 100_000


@pytest.mark.parametrize("cut", [10_000_000, 3], ids=["at once", "in small pieces"])
async def test_interim_answers_without_end_are_cut_off(cut: int) -> None:
    """However many came together, few of them are looked at."""
    many = b"HTTP/1.1 100 Continue\r\n\r\n" * 40_000
    seen = 0
    original = internals.ConnectionProtocol.feed_data

    def counting(self: Any, data: Any, size: int = 0) -> None:
        nonlocal seen
        seen += 1
        original(self, data, size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(internals.ConnectionProtocol, "feed_data", counting)
        pieces = [many[at : at + cut] for at in range(0, min(len(many), cut * 1000), cut)]
        async with wire.scripted(wire.sending(*pieces, pause=0)) as server, wire.pool() as network:
            with pytest.raises(httpx.RemoteProtocolError):
                await call(network, server.url)
    assert internals.MAX_INTERIM < seen < 200
