"""What one call to a platform costs in CPU, with 32 of them at once, beside the same calls through httpx's own pool.

It is user and system time of this process per call; the platform is another process, which answers every request with
the same bytes. Rounds are interleaved, so that a busy moment of the machine spoils no row alone, and only the ratio
says anything about another machine. httpx's objects, which are what adapters speak, are in every row.
"""

from __future__ import annotations

import asyncio
import importlib.util
import multiprocessing
import resource
import ssl
import statistics
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from typing import Final, cast

import httpx
import uvloop

from gateway.transports.pool import Pool

ROUNDS: Final = 7
CALLS: Final = 3200
"""In each round of each row."""
AT_ONCE: Final = 32
MOST: Final = 0.18
"""Milliseconds of CPU that a call may cost (DESIGN: on two cores of 2026)."""
BODY: Final = (
    b'{"userId":769658112378,"firstRequestedAt":1470018073812,"updatedAt":1471018076255,"requestCounter":1,'
    b'"status":"ACCEPTED"}'
)
ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 23 Nov 2026 23:00:00 GMT\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n" % len(BODY)
) + BODY

Send = Callable[[httpx.Request], Awaitable[bytes]]


class Platform(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        self._transport.write(ANSWER * len(requests))


def serve(where: Connection) -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Platform, "127.0.0.1", 0)
        where.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(main())


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def milliseconds(send: Send, port: int) -> float:
    """Of CPU per call."""

    async def one_after_another(first: int) -> None:
        for number in range(first, first + CALLS // AT_ONCE):
            request = httpx.Request(
                "GET",
                f"http://127.0.0.1:{port}/pod/v1/connection/user/{number}/info",
                headers={"sessionToken": "t" * 100, "Accept": "application/json"},
                extensions={"deadline": asyncio.get_running_loop().time() + 60},
            )
            body = await send(request)
            assert body in {BODY, b""}  # noqa: S101  a benchmark of wrong answers measures nothing

    begun = cpu()
    await asyncio.gather(*(one_after_another(1000 * worker) for worker in range(AT_ONCE)))
    return (cpu() - begun) / CALLS * 1000


async def measure(port: int) -> dict[str, list[float]]:
    pool = Pool(limit=AT_ONCE, tls=ssl.create_default_context())
    plain = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=AT_ONCE))

    async def nothing(_request: httpx.Request) -> bytes:
        return b""

    async def ours(request: httpx.Request) -> bytes:
        return (await pool.handle_async_request(request)).content

    async def theirs(request: httpx.Request) -> bytes:
        response = await plain.handle_async_request(request)
        try:
            return await response.aread()
        finally:
            await response.aclose()

    rows: dict[str, Send] = {"building the request alone": nothing, "the pool": ours, "httpx's own pool": theirs}
    found: dict[str, list[float]] = {name: [] for name in rows}
    async with pool, plain:
        for round_ in range(ROUNDS + 1):
            for name, send in rows.items():
                spent = await milliseconds(send, port)
                if round_:  # the first one warms up
                    found[name].append(spent)
    return found


def main() -> None:
    here, there = multiprocessing.Pipe()
    platform = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    platform.start()
    try:
        found = uvloop.run(measure(here.recv()))
    finally:
        platform.kill()
        platform.join()
    medians = {name: statistics.median(values) for name, values in found.items()}
    print(f"\nCPU per call, {AT_ONCE} at once ({ROUNDS} rounds of {CALLS} calls)\n")
    print("| a call through | ms, median | lowest to highest |\n| --- | --- | --- |")
    for name, values in found.items():
        print(f"| {name} | {medians[name]:.3f} | {min(values):.3f} to {max(values):.3f} |")
    ratio = medians["httpx's own pool"] / medians["the pool"]
    with_or_without = "with" if importlib.util.find_spec("sniffio") else "without"
    print(
        f"\nhttpx's own pool, {with_or_without} sniffio, costs {ratio:.1f}"
        f" times as much. Wanted are at most {MOST} ms."
    )


if __name__ == "__main__":
    main()
