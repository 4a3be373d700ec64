"""A platform that moves: its name leads to another address from some moment on."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from gateway.transports.aiohttp_internals import MAX_AGE
from gateway.transports.resolver import FRESH_FOR
from tests.faults.live import figures
from tests.faults.live.callers import Answer, Caller, at_once
from tests.faults.live.figures import Figure, Scale
from tests.faults.live.hostile import may_unshare
from tests.faults.live.processes import gateway

NAME: Final = "moves.example"
OLD: Final = "127.0.0.1"
NEW: Final = "127.0.0.2"
NONE: Final = b'{"connection_status": null}'
ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(NONE),
    NONE,
)


async def moving(folder: Path, port: int, _scale: Scale) -> list[Figure]:
    """Under load without a pause, so that no connection is ever idle. Takes a minute and a half."""
    if not may_unshare():
        return [Figure("a platform that moves", "no mount namespace for this user", "-", holds=True, is_timing=True)]
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{OLD} {NAME}\n")
    calls: Counter[str] = Counter()
    prefix = ("unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts))
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(await _served(OLD, 0, calls))
        where = first.sockets[0].getsockname()[1]
        await stack.enter_async_context(await _served(NEW, where, calls))
        guild = {"guild": f"http://{NAME}:{where}"}
        await stack.enter_async_context(gateway(folder, port, guild, prefix=prefix))
        before = await at_once(port, 4, _lookup, seconds=2.0)
        hosts.write_text(f"127.0.0.1 localhost\n{NEW} {NAME}\n")
        meanwhile = await at_once(port, 4, _lookup, seconds=1.1 * MAX_AGE + FRESH_FOR + 2.0)
        had = calls[OLD]
        after = await at_once(port, 4, _lookup, seconds=2.0)
    return [
        figures.of_kinds("a platform that moves", before + meanwhile + after, ("none",)),
        Figure("the same: calls to the old address a minute later", str(calls[OLD] - had), "0", calls[OLD] == had),
        Figure("the same: calls to the new address", f"{calls[NEW]:,}", "some", calls[NEW] > 0),
    ]


async def _served(address: str, port: int, calls: Counter[str]) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                calls[address] += 1
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    return await asyncio.start_server(answer, address, port)


async def _lookup(caller: Caller) -> Answer:
    return await caller.get("/v1/connections/guild/101", "Authorization: Bearer demo", "Cache-Control: no-cache")
