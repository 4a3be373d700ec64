"""Streams on the real process: a reader that stops, and a thousand callers that are told to come back."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import socket
from collections.abc import Iterable
from pathlib import Path

import httpx
import msgspec

from adapters.simulation import serving, simulator
from gateway.server.descriptors import raise_limit
from tests.serving.test_process import started
from tests.wire import closing

STREAMS = 1000
LONGEST = 60
GOAWAY = b'goaway\ndata: {"reason":"draining"}\n\n\r\n0\r\n\r\n'


def request(user_ids: Iterable[int]) -> bytes:
    """That watches these users."""
    body = msgspec.json.encode({"users": [{"platform": "acme", "user_id": str(each)} for each in user_ids]})
    return b"POST /v1/watch HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def open_streams(client: httpx.AsyncClient) -> int:
    found = re.search(r"^connection_gateway_streams (\d+)", (await client.get("/metrics")).text, re.MULTILINE)
    assert found is not None
    return int(found[1])


async def test_a_thousand_streams_end_before_the_process_does(port: int, tmp_path: Path) -> None:
    raise_limit()
    pod = simulator("symphony")
    path = str(tmp_path / "socket")
    settings = {"socket": path, "drain_delay": "1.0", "header_timeout": "1.0"}
    transport = httpx.AsyncHTTPTransport(uds=path)
    async with (
        serving(pod) as pod_url,
        started(port, pod_url, tmp_path, server=settings) as gateway,
        contextlib.AsyncExitStack() as opened,
    ):
        async with (
            httpx.AsyncClient(base_url="http://localhost", transport=transport) as client,
            asyncio.timeout(LONGEST),
        ):
            # A Unix socket's buffers hold a fifth of a megabyte, on whatever machine; of this stream there is a third.
            slow = opened.enter_context(contextlib.closing(socket.socket(socket.AF_UNIX)))
            slow.connect(path)
            slow.sendall(request(range(1000, 2000)))
            readers = []
            for _ in range(STREAMS - 1):
                reader, writer = await asyncio.open_unix_connection(path)
                await opened.enter_async_context(closing(writer))
                writer.write(request((101, 102)))
                readers.append(reader)
            for reader in readers:
                await reader.readuntil(b'"user_id":"102","status":"pending_incoming"')
            while await open_streams(client) != STREAMS - 1:  # noqa: ASYNC110  another process has no event
                await asyncio.sleep(0.05)
        gateway.signal(signal.SIGTERM)
        said = await asyncio.gather(*(reader.read() for reader in readers))
        assert await gateway.ended() == 0
    assert {each.split(b"event: ")[-1] for each in said} == {GOAWAY}
    lines = [msgspec.json.decode(line) for line in gateway.errors.splitlines()]
    ended = [line["time"] for line in lines if line.get("route") == "/v1/watch"]
    assert len(ended) == STREAMS
    assert len({time[:21] for time in ended}) > 5  # tenths of a second
