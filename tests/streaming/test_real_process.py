"""Answers in lines from a gateway that is a process, over sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.faults.live.processes import Platform, gateway, simulated
from tests.streaming.reading import LIST, NDJSON, users

READERS = 20
CLUB = users(*(f"club/{user}" for user in range(1000, 1100)))


@pytest.fixture
async def platforms() -> AsyncIterator[tuple[Platform, Platform]]:
    async with simulated("symphony") as acme, simulated("selfcommunity") as club:
        yield acme, club


async def lines(answer: httpx.Response, most: int | None = None) -> list[dict[str, object]]:
    """Up to `most` lines, without reading on."""
    found = []
    async for line in answer.aiter_lines():
        found.append(msgspec.json.decode(line))
        if len(found) == most:
            break
    return found


async def test_a_platform_that_hangs_holds_up_nobody_else(
    platforms: tuple[Platform, Platform], port: int, tmp_path: Path
) -> None:
    """With a minute for a call, which is longer than a test may take."""
    acme, club = platforms
    urls = {"acme": acme.url, "club": club.url}
    async with (
        gateway(tmp_path, port, urls, request_timeout=60.0),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"Accept": NDJSON}) as client,
    ):
        await acme.misbehave(path="connection", delay=60)
        body = users("acme/101", "club/101", "club/102")
        async with client.stream("POST", "/v1/lookup", content=body) as answer:
            assert sorted(str(line["index"]) for line in await lines(answer, 2)) == ["1", "2"]
        async with client.stream("GET", LIST) as answer:
            assert [line["index"] for line in await lines(answer, 2)] == [0, 1]
        async with client.stream(
            "POST", "/v1/lookup", content=body, headers={"X-Request-Timeout-Ms": "300"}
        ) as answer:
            found = await lines(answer)
        assert [line.get("index") for line in found] == [1, 2, 0, None]
        assert found[-1] == {"count": 3}


async def test_readers_that_stop_hold_no_place_and_little_memory(
    platforms: tuple[Platform, Platform], port: int, tmp_path: Path
) -> None:
    """As many as there are places ask for more than the sockets hold, and read nothing, for longer than this takes."""
    urls = {"club": platforms[1].url}
    settings: dict[str, Any] = {"request_timeout": 1.0, "max_concurrency": READERS, "header_timeout": 300.0}
    async with (
        gateway(tmp_path, port, urls, **settings) as running,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        assert (await client.post("/v1/lookup", content=CLUB)).status_code == 200
        before = running.memory()
        stalled = [asyncio.create_task(_ask_without_reading(port)) for _ in range(READERS)]
        await asyncio.wait(stalled, timeout=3)

        async def status() -> int:
            return (await client.get("/v1/connections/club/1000")).status_code

        while (found := await status()) == 503:  # noqa: ASYNC110  another process has no event for us
            await asyncio.sleep(0.05)
        assert found == 200
        assert not any(each.done() for each in stalled)  # the gateway takes no more from them
        assert running.memory() - before < READERS
        for each in stalled:
            each.cancel()


async def _ask_without_reading(port: int) -> None:
    """Ask for ever more results in lines."""
    head = f"POST /v1/lookup HTTP/1.1\r\nHost: localhost\r\nAccept: {NDJSON}\r\nContent-Length: {len(CLUB)}\r\n\r\n"
    loop = asyncio.get_running_loop()
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        reader.setblocking(False)
        await loop.sock_connect(reader, ("127.0.0.1", port))
        while True:
            await loop.sock_sendall(reader, head.encode() + CLUB)
