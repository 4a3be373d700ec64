"""Callers that take more than they should: nobody else goes without, and memory comes back."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import pytest

from adapters.simulation import serving, simulator
from tests.gateways import key_of
from tests.serving.test_process import LONGEST, WEB, Process, started

KEYED = (
    b"GET /v1/connections/acme/101 HTTP/1.1\r\nHost: localhost\r\nX-API-Key: " + key_of("web").encode() + b"\r\n\r\n"
)
PROBE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
DOCUMENT = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
TEN_MEGABYTES = 10 * 1024
"""in kB, as the kernel counts memory"""


@asynccontextmanager
async def process(
    port: int, folder: Path, *, prefix: tuple[str, ...] = (), server: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Process]:
    """A gateway with one caller."""
    async with serving(simulator("symphony")) as pod_url:
        settings = folder / "gateway.toml"
        async with started(port, pod_url, folder, prefix=prefix, server=server) as gateway:
            settings.write_text(settings.read_text() + WEB)
            gateway.signal(signal.SIGHUP)
            async with asyncio.timeout(LONGEST):
                while b" 401 " not in await ask(port, KEYED.replace(b"key-of-web", b"unknown")):  # noqa: ASYNC110  another process has no event
                    await asyncio.sleep(0.02)
            yield gateway


async def ask(port: int, request: bytes) -> bytes:
    """The first piece of the answer, on a connection of its own; nothing where it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(reader.read(65536), LONGEST)
        return b""
    finally:
        writer.close()


def memory(gateway: Process) -> int:
    """Of the process, in kB."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{gateway.process.pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def connect(port: int) -> socket.socket:
    """One that takes next to nothing of what comes until it is read."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    one.connect(("127.0.0.1", port))
    one.setblocking(False)
    return one


def is_closed(one: socket.socket) -> bool:
    """Whether the other side has closed it, once all that came is read."""
    try:
        while one.recv(65536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return True


async def test_who_does_not_read_is_cut_off_whatever_else_it_sends(port: int, tmp_path: Path) -> None:
    """And no place is held meanwhile: twenty of twenty are taken, and the next is served."""
    limits = {"header_timeout": "1.0", "max_concurrency": "20", "keep_alive_timeout": "60"}
    many = b'{"users":[' + b",".join(b'{"platform":"acme","user_id":"%d"}' % user for user in range(1, 1001)) + b"]}"
    lookup = KEYED.replace(b"GET /v1/connections/acme/101", b"POST /v1/lookup").replace(
        b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % len(many)
    )
    async with process(port, tmp_path, server=limits) as gateway:
        connections = [connect(port) for _ in range(20)]
        for one in connections[:10]:
            with contextlib.suppress(BlockingIOError):
                one.sendall((lookup + many) * 40)
        for one in connections[10:]:
            with contextlib.suppress(BlockingIOError):
                one.sendall(DOCUMENT * 100)
        async with asyncio.timeout(LONGEST):
            while b" 200 OK" not in await ask(port, KEYED):  # noqa: ASYNC110  while it works it holds places
                await asyncio.sleep(0.05)
            for _ in range(30):
                for one in connections:
                    with contextlib.suppress(OSError):
                        one.send(PROBE)
                await asyncio.sleep(0.1)
            open_ones = _connections(gateway)
            while open_ones:
                await asyncio.sleep(0.1)
                open_ones = _connections(gateway)
        for one in connections:
            one.close()


def _connections(gateway: Process) -> int:
    """Descriptors of the process that are connections of callers."""
    folder = Path(f"/proc/{gateway.process.pid}/fd")
    inodes = {found[1] for each in folder.iterdir() if (found := re.match(r"socket:\[(\d+)\]", _target(each)))}
    port = f"{int(gateway.url.rpartition(':')[2]):04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(line[9] in inodes and line[1].endswith(f":{port}") and line[3] != "0A" for line in lines)


def _target(descriptor: Path) -> str:
    with contextlib.suppress(OSError):
        return str(descriptor.readlink())
    return ""


@pytest.mark.parametrize(
    "flood",
    [
        PROBE.replace(b"\r\n\r\n", b"\r\nContent-Length: 1000\r\n\r\n") + b"x" * 1000,
        PROBE.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        + b"3e8\r\n"
        + b"x" * 1000
        + b"\r\n0\r\n\r\n",
        PROBE,
        b"GET / HTTP/1.1\r\nHost:a\r\n\r\n",
    ],
    ids=["length", "chunks", "no body", "short"],
)
async def test_a_flood_takes_no_memory(flood: bytes, port: int, tmp_path: Path) -> None:
    """Sent for as long as the other side takes any of it; its answers are never read."""
    async with process(port, tmp_path, server={"header_timeout": "2.0"}) as gateway:
        await ask(port, KEYED)
        before = memory(gateway)
        ones = [connect(port) for _ in range(4)]
        sent, highest, piece = 0, before, flood * (65536 // len(flood))
        loop = asyncio.get_running_loop()

        async def pour(one: socket.socket) -> None:
            nonlocal sent
            with contextlib.suppress(OSError):
                while sent < 24 * 1024 * 1024:
                    await loop.sock_sendall(one, piece)
                    sent += len(piece)

        pouring = [asyncio.create_task(pour(one)) for one in ones]
        async with asyncio.timeout(LONGEST):
            while not all(each.done() for each in pouring):  # each ends when it is cut off
                highest = max(highest, memory(gateway))
                assert b" 200 OK" in await ask(port, PROBE)
                await asyncio.sleep(0.05)
        for one in ones:
            one.close()
        assert b" 200 OK" in await ask(port, KEYED)
        assert highest - before < 2 * TEN_MEGABYTES
        assert memory(gateway) - before < TEN_MEGABYTES


async def test_trailers_without_end_are_refused(port: int, tmp_path: Path) -> None:
    async with process(port, tmp_path) as gateway:
        before = memory(gateway)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            PROBE.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
        )
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 64 * 1024 * 1024:
                writer.write(b"x: y\r\n" * 10_000)
                sent += 60_000
                await writer.drain()
        assert sent < 16 * 1024 * 1024
        writer.close()
        assert memory(gateway) - before < TEN_MEGABYTES


async def test_six_thousand_requests_in_one_go_are_all_answered(port: int, tmp_path: Path) -> None:
    async with process(port, tmp_path):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = b"GET /livez HTTP/1.1\r\nHost:localhost\r\n\r\n"
        assert len(request) <= 40
        writer.write(request * 6000)
        answered = 0
        async with asyncio.timeout(LONGEST):
            while answered < 6000:
                answered += (await reader.readuntil(b'{"status":"live"}')).count(b"HTTP/1.1 200 OK")
        writer.close()


async def test_offers_to_upgrade_without_end_are_declined(port: int, tmp_path: Path) -> None:
    async with process(port, tmp_path):
        offer = PROBE.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(offer * 984)
        answered = 0
        async with asyncio.timeout(LONGEST):
            while answered < 984:
                answered += (await reader.readuntil(b'{"status":"live"}')).count(b"HTTP/1.1 200 OK")
        writer.close()


@pytest.mark.parametrize(
    "said", [b"", PROBE, b"GET /livez HTTP/1.1\r\nHost: ", DOCUMENT], ids=["nothing", "probe", "half", "page"]
)
async def test_strangers_take_no_descriptor_that_a_caller_needs(said: bytes, port: int, tmp_path: Path) -> None:
    """A process with few descriptors, and many more connections that ask for nothing that needs a key."""
    few = ("sh", "-c", 'ulimit -n 100; exec "$@"', "sh")
    async with process(
        port, tmp_path, prefix=few, server={"header_timeout": "60", "keep_alive_timeout": "60"}
    ) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(KEYED)
        assert b" 200 OK" in await reader.readuntil(b"}")
        strangers = []
        for _ in range(300):
            strangers.append(connect(port))
            with contextlib.suppress(BlockingIOError):
                strangers[-1].sendall(said)
            await asyncio.sleep(0)
        assert b" 200 OK" in await ask(port, KEYED)
        writer.write(KEYED)
        assert b" 200 OK" in await reader.readuntil(b"}")
        writer.close()
        assert _connections(gateway) < 100
        for one in strangers:
            one.close()


async def test_a_caller_with_many_connections_leaves_room_for_others(port: int, tmp_path: Path) -> None:
    few = ("sh", "-c", 'ulimit -n 100; exec "$@"', "sh")
    async with process(port, tmp_path, prefix=few, server={"keep_alive_timeout": "60"}):
        ones = []
        for _ in range(300):
            one = await asyncio.open_connection("127.0.0.1", port)
            one[1].write(KEYED)
            assert b" 200 OK" in await asyncio.wait_for(one[0].read(65536), LONGEST)
            ones.append(one)
        for _, writer in ones:
            writer.close()
