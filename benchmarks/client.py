"""What the Python client costs over what it is made of: its import, and a lookup beside bare httpx doing the same.

Everything is user and system time of one process. For lookups the gateway is another process, which answers every
request with the same bytes; an import is that of a new interpreter, beside symphony-bdk-python's. Rounds are
interleaved, so that a busy moment of the machine spoils no row alone. Exits with 1 if a figure does not hold.
"""

from __future__ import annotations

import asyncio
import importlib.util
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Final

import httpx
import msgspec
from connection_gateway import AsyncGateway, Connection, Gateway

from benchmarks.figures import Figure

CLIENT: Final = Path(__file__).parent.parent / "clients" / "python"
ROUNDS: Final = 41
LOOKUPS: Final = 50
"""In each round of each row."""
AT_ONCE: Final = 50
STARTS: Final = 9
"""Interpreters for each row of the imports."""
MOST_CPU: Final = 1.15
"""Times what bare httpx costs."""
MOST_MILLISECONDS: Final = 60.0
MOST_MEMORY: Final = 15.0
"""MB. Both more than the import of the two packages that the client needs."""
KEY: Final = "the-key-of-one-caller"
ITEM: Final = (
    b'{"platform":"acme","user_id":"769658112378","status":"pending_outgoing","native_status":"PENDING_OUTGOING",'
    b'"actions":[],"first_requested_at":"2016-08-01T02:21:13.812Z","updated_at":"2016-08-12T16:07:56.255Z",'
    b'"request_count":1,"as_of":"2026-11-21T21:41:00.123Z","stale":false}'
)
MANY: Final = b'{"results":[%b]}' % b",".join([b'{"connection":%b}' % ITEM] * AT_ONCE)
PATH: Final = "/v1/connections/acme/769658112378"

DEPENDENCIES: Final = "httpx and msgspec"
CLIENT_IMPORT: Final = "this client"
BDK: Final = "symphony-bdk-python"
IMPORTS: Final = {
    "nothing": "pass",
    DEPENDENCIES: "import httpx, msgspec",
    CLIENT_IMPORT: "import connection_gateway",
    BDK: "from symphony.bdk.core.symphony_bdk import SymphonyBdk",
}
PROGRAM: Final = """
import time
begun = time.process_time()
{0}
took = time.process_time() - begun
print(took, open("/proc/self/status").read().partition("VmRSS:")[2].split()[0])
"""
ASYNC: Final = "AsyncGateway.lookup, one at a time"
BARE: Final = "httpx.AsyncClient.get"
SYNC: Final = "Gateway.lookup"
BARE_SYNC: Final = "httpx.Client.get"
GATHERED: Final = f"AsyncGateway.lookup, {AT_ONCE} under one gather"
Look = Callable[[], Awaitable[object]]


class GatewayProtocol(asyncio.Protocol):
    """One connection to what stands for the gateway."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  what a server makes
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Each request comes in one piece, or its body in a second."""
        body = ITEM if data.startswith(b"GET") else MANY
        if data.startswith(b"POST") and data.endswith(b"\r\n\r\n"):
            return
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)


def serve(where: Pipe) -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(GatewayProtocol, "127.0.0.1", 0)
        where.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def rows(url: str, blocking: Gateway, plain_blocking: httpx.Client) -> dict[str, tuple[Look, int]]:
    """What one call of each row is, and how many lookups that is. To be called where a loop runs."""
    headers = {"x-api-key": KEY, "x-request-timeout-ms": "2000"}
    gateway, plain = AsyncGateway(url, api_key=KEY), httpx.AsyncClient(trust_env=False)

    async def ours() -> object:
        return await gateway.lookup("acme", 769658112378)

    async def bare() -> object:
        response = await plain.get(url + PATH, headers=headers, timeout=2.25)
        return read(response)

    async def ours_blocking() -> object:
        return blocking.lookup("acme", 769658112378)

    async def bare_blocking() -> object:
        get = plain_blocking.get  # nothing else runs in this loop
        return read(get(url + PATH, headers=headers, timeout=2.25))

    async def gathered() -> object:
        return (await asyncio.gather(*[ours() for _ in range(AT_ONCE)]))[-1]

    return {
        ASYNC: (ours, 1),
        BARE: (bare, 1),
        SYNC: (ours_blocking, 1),
        BARE_SYNC: (bare_blocking, 1),
        GATHERED: (gathered, AT_ONCE),
    }


def read(response: httpx.Response) -> Connection:
    response.raise_for_status()
    return msgspec.json.decode(response.content, type=Connection)


async def lookups(url: str, blocking: Gateway, plain_blocking: httpx.Client) -> dict[str, list[float]]:
    """Microseconds of CPU per lookup, by row and round."""
    measured = rows(url, blocking, plain_blocking)
    found: dict[str, list[float]] = {name: [] for name in measured}
    for round_ in range(ROUNDS + 1):
        for name, (look, each) in measured.items():
            begun = time.process_time()
            for _ in range(LOOKUPS // each):
                answer = await look()
            if round_:  # the first one warms up
                found[name].append((time.process_time() - begun) / LOOKUPS * 1e6)
            assert isinstance(answer, Connection)  # noqa: S101  a benchmark of wrong answers measures nothing
    return found


def imports() -> dict[str, list[tuple[float, float]]]:
    """Milliseconds, and MB resident afterwards, by row and round."""
    found: dict[str, list[tuple[float, float]]] = {
        name: [] for name in IMPORTS if name != BDK or importlib.util.find_spec("symphony")
    }
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ["PYTHONPATH"] = str(CLIENT)
    for round_ in range(STARTS + 1):
        for name, measured in found.items():
            command = [sys.executable, "-c", PROGRAM.format(IMPORTS[name])]
            printed = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout.split()
            if round_:  # the first one writes the bytecode
                measured.append((float(printed[0]) * 1e3, int(printed[1]) / 1e3))
    return found


def figures(spent: dict[str, list[float]], imported: dict[str, list[tuple[float, float]]]) -> list[Figure]:
    told: list[Figure] = []
    for ours, bare in ((ASYNC, BARE), (SYNC, BARE_SYNC)):
        ratio = statistics.median(one / other for one, other in zip(spent[ours], spent[bare], strict=True))
        text = f"CPU of {ours}, against {bare}"
        told.append(Figure(text, f"{ratio:.2f} times", f"at most {MOST_CPU:g} times", ratio <= MOST_CPU))
    pairs = list(zip(imported[CLIENT_IMPORT], imported[DEPENDENCIES], strict=True))
    took, memory = (statistics.median(one[part] - other[part] for one, other in pairs) for part in (0, 1))
    told.append(
        Figure(
            f"importing the client, over importing {DEPENDENCIES}",
            f"{took:.0f} ms; {memory:.1f} MB",
            f"at most {MOST_MILLISECONDS:g} ms; {MOST_MEMORY:g} MB",
            took <= MOST_MILLISECONDS and memory <= MOST_MEMORY,
        )
    )
    return told


def main() -> int:
    here, there = multiprocessing.Pipe()
    gateway = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    gateway.start()
    try:
        url = f"http://127.0.0.1:{here.recv()}"
        with Gateway(url, api_key=KEY) as blocking, httpx.Client(trust_env=False) as plain:
            spent = asyncio.run(lookups(url, blocking, plain))
    finally:
        gateway.kill()
        gateway.join()
    imported = imports()
    sniffio = "with" if importlib.util.find_spec("sniffio") else "without"
    print(f"\n**client**: CPU per lookup, {sniffio} sniffio ({ROUNDS} rounds of {LOOKUPS})\n")
    print("| | µs, median | lowest to highest |\n| --- | --- | --- |")
    for name, each in spent.items():
        print(f"| {name} | {statistics.median(each):.0f} | {min(each):.0f} to {max(each):.0f} |")
    print("\n**client**: importing it in a new interpreter\n\n| | ms, median | memory, MB |\n| --- | --- | --- |")
    for name, rounds in imported.items():
        took, memory = (statistics.median(each[part] for each in rounds) for part in (0, 1))
        print(f"| {name} | {took:.0f} | {memory:.1f} |")
    told = figures(spent, imported)
    print("\n| figure | found | wanted | |\n| --- | --- | --- | --- |")
    for one in told:
        print(f"| {one.text} | {one.found} | {one.wanted} | {'holds' if one.holds else '**does not hold**'} |")
    return 0 if all(each.holds for each in told) else 1


if __name__ == "__main__":
    sys.exit(main())
