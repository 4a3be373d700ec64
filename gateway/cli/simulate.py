"""Serves one simulated platform on loopback, to test against."""

from __future__ import annotations

import asyncio

import click

from adapters.simulation import Simulator, serving
from gateway.server.running import run
from gateway.server.server import SIGNALS


def run_simulator(adapter: str, platform: Simulator, port: int) -> None:
    """Serve until stopped. Raises OSError where the port is taken."""
    run(_serve(adapter, platform, port))


async def _serve(adapter: str, platform: Simulator, port: int) -> None:
    stopped = asyncio.Event()
    for each in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(each, stopped.set)
    async with serving(platform, port) as url:
        click.echo(f"A simulated {adapter} at {url}. Stop it with Ctrl+C.")
        await stopped.wait()
