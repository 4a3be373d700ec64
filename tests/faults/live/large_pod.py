"""A pod whose every list is as large as may be: `python -m tests.faults.live.large_pod NAME` says where it is.

In a process of its own, since whoever sends 16 MB can't measure at the same time how long others wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final

from tests.wire import answer, listening

LARGEST: Final = 16 * 1024 * 1024
FIRST: Final = 10**12
GOOD: Final = '{"userId":%d,"status":"PENDING_INCOMING","firstRequestedAt":1470018073812,"requestCounter":1}'
SHORT: Final = '{"userId":%d,"status":"PENDING_INCOMING"}'
BAD: Final = '{"userId":%d,"status":"NOBODY_KNOWS"}'
LISTS: Final[dict[str, Callable[[int], str]]] = {
    "valid": lambda user: GOOD % user,
    "compressed": lambda user: GOOD % user,
    "of the shortest entries": lambda user: SHORT % user,
    "with one badly typed entry in a thousand": lambda user: (BAD if user % 1000 == 1 else SHORT) % user,
    "with one badly typed entry in a hundred": lambda user: (BAD if user % 100 == 1 else SHORT) % user,
    "of badly typed entries": lambda user: BAD % user,
}
"""What the entry of a user is in each."""


@asynccontextmanager
async def large_pod(name: str) -> AsyncIterator[str]:
    """Yields its URL."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, name, stdout=PIPE)
    try:
        assert process.stdout is not None
        yield (await asyncio.wait_for(process.stdout.readline(), 60.0)).decode().strip()
    finally:
        process.kill()
        await process.wait()


async def serve(name: str) -> None:
    """Take every login, and answer everything else with the list, until killed."""
    body = f"[{','.join(entries(LISTS[name]))}]".encode()
    of_list = answer(body)
    if name == "compressed":
        of_list = answer(gzip.compress(body), "Content-Encoding: gzip")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET"):
                    writer.write(of_list)
                else:
                    length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
                    await reader.readexactly(int(length))
                    writer.write(answer(b'{"token":"of-this-session"}'))
                await writer.drain()

    async with listening(handle) as where:
        sys.stdout.write(f"http://{where}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def entries(entry: Callable[[int], str]) -> Iterator[str]:
    """As many as fit."""
    left = LARGEST - 2
    user = FIRST
    while (left := left - len(entry(user)) - 1) >= 0:
        yield entry(user)
        user += 1


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
