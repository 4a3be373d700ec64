"""The demo, for clients that are made of its document."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast


@asynccontextmanager
async def demo(port: int, **variables: str) -> AsyncIterator[str]:
    """The demo as a process of its own, with these environment variables too, once it answers."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "demo", "--port", str(port)),
        env={**os.environ, **variables},
        stdout=PIPE,
        stderr=DEVNULL,
    )
    try:
        stdout = cast("asyncio.StreamReader", process.stdout)
        said = await asyncio.wait_for(stdout.readuntil(b"/docs\n"), 30)
        yield said.decode().rpartition(" ")[2].removesuffix("/docs\n")
    finally:
        process.terminate()
        await process.communicate()
