"""Streams of several workers: how many there may be, and what becomes of those of a worker that is replaced."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
from pathlib import Path

import httpx

from adapters.simulation import serving, simulator
from gateway.server.server import LINGER
from tests.watching.test_process import GOAWAY, request
from tests.wire import closing
from tests.workers.group import Group, configuration, workers

STREAMS = 20
LONGEST = 60
SERVER = f"drain_delay = {LINGER + 2}\ndrain_timeout = 0.1"
WATCH = f"\n[watch]\nmax_streams = {STREAMS}\ninterval = 3600.0\n"


async def open_streams(group: Group) -> int:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{group.port}") as client:
        found = re.search(r"^connection_gateway_streams (\d+)", (await client.get("/metrics")).text, re.MULTILINE)
    assert found is not None
    return int(found[1])


async def watch(group: Group, opened: contextlib.AsyncExitStack) -> asyncio.StreamReader | None:
    """A stream that has begun; None where it was refused."""
    reader, writer = await asyncio.open_connection("127.0.0.1", group.port)
    writer.write(request((101, 102)))
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 5\r\n" in head
        writer.close()
        return None
    await opened.enter_async_context(closing(writer))
    await reader.readuntil(b'"user_id":"102","status":"pending_incoming"')
    return reader


async def fill(group: Group, opened: contextlib.AsyncExitStack, free: int) -> list[asyncio.StreamReader]:
    """Ask for streams until all places are taken: a worker refuses when its own are."""
    readers: list[asyncio.StreamReader] = []
    while len(readers) < free:
        reader = await watch(group, opened)
        readers += [] if reader is None else [reader]
    assert {await watch(group, opened) for _ in range(STREAMS)} == {None}
    assert await open_streams(group) == STREAMS
    return readers


async def test_workers_share_the_places_and_one_that_is_replaced_ends_its_streams_in_turn(
    port: int, tmp_path: Path
) -> None:
    async with (
        serving(simulator("symphony")) as pod_url,
        workers(tmp_path, configuration(port, pod_url, more=SERVER, keys=()) + WATCH, port) as group,
        contextlib.AsyncExitStack() as opened,
        asyncio.timeout(LONGEST),
    ):
        readers = await fill(group, opened, STREAMS)
        reading = [asyncio.create_task(reader.read()) for reader in readers]
        group.signal_to(group.pids()[0], signal.SIGTERM)
        await group.until(lambda: sum(each.done() for each in reading) == STREAMS // 2)
        ended = [each.result() for each in reading if each.done()]
        assert all(each.endswith(GOAWAY) for each in ended)
        lines = [line for line in group.lines() if line.get("route") == "/v1/watch" and line["status"] == 200]
        assert len({line["time"][:21] for line in lines}) > STREAMS / 4  # tenths of a second
        await group.until_logged("listening", 3)
        await fill(group, opened, len(ended))
        assert sum(each.done() for each in reading) == len(ended)
        for each in reading:
            each.cancel()
