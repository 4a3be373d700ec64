"""The demo as a process of its own, for clients and browsers."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple, cast


class Demo(NamedTuple):
    """A running demo: its address, those of the simulators by their kind, and what it printed."""

    url: str
    simulators: dict[str, str]
    printed: str


@asynccontextmanager
async def demo_with_simulators(port: int, **variables: str) -> AsyncIterator[Demo]:
    """The demo as a process of its own, with these environment variables too, once it answers."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "demo", "--port", str(port)),
        env={**os.environ, **variables},
        stdout=PIPE,
        stderr=DEVNULL,
    )
    try:
        stdout = cast("asyncio.StreamReader", process.stdout)
        printed = b""
        while b"Simulated" not in printed:
            line = await asyncio.wait_for(stdout.readline(), 30)
            assert line, "the demo has ended"
            printed += line
        text = printed.decode()
        (url,) = re.findall(r"(http://\S+)/docs$", text, re.MULTILINE)
        simulators = dict(re.findall(r"(\w+) at (http://[^\s,]+)", text))
        yield Demo(url, simulators, text)
    finally:
        process.terminate()
        await process.communicate()


@asynccontextmanager
async def demo(port: int, **variables: str) -> AsyncIterator[str]:
    """The address of a running demo."""
    async with demo_with_simulators(port, **variables) as running:
        yield running.url
