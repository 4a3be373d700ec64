"""Simulated platforms, one of each kind, and the gateway in front of them, on loopback, in one process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping
from typing import Any, Final

import click
import httpx

from adapters import ADAPTERS, adapter_name
from adapters.simulation import demo, serving, simulator
from gateway.app import create_app
from gateway.config.converter import from_tables
from gateway.config.environment import Overrides
from gateway.config.settings import ConfigurationError, Settings
from gateway.server.listener import listen_on
from gateway.server.running import run
from gateway.server.server import Server
from gateway.telemetry.log import Log

SERVER: Final = "GATEWAY_SERVER__"
ADDRESS: Final = frozenset(f"{SERVER}{name}" for name in ("HOST", "PORT", "SOCKET", "SOCKET_MODE"))
PATHS: Final = ("/v1/connections/symphony/103", "/v1/connections/community/102", "/v1/platforms")


def run_demo(port: int, *, check: bool) -> int:
    """Serve until stopped, or with `check` until the three lines are answered. The exit code."""
    return run(_demo(port, check=check))


async def _demo(port: int, *, check: bool) -> int:
    async with contextlib.AsyncExitStack() as stack:
        kinds = [adapter_name(each) for each in ADAPTERS]
        simulated = {kind: await stack.enter_async_context(serving(simulator(kind))) for kind in kinds}
        listener = _listen(port)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = _settings(simulated)
        log = Log((lambda _line: None) if check else None)
        log.take_over()
        server = Server(create_app(settings, log=log), settings.server, log)
        if not check:
            click.echo("\n".join(["Ask it (it runs until you stop it with Ctrl+C):", *_lines(address)]))
            click.echo(f"Every call, in a browser: {address}/docs")
            if settings.server.console:
                click.echo(f"Platforms, figures and pending requests: {address}/console")
            places = ", ".join(f"{kind} at {url}" for kind, url in simulated.items())
            click.echo(f"Simulated behind it, until then: {places}")
            await server.serve_on(listener)
            return 0
        serving_it = asyncio.create_task(server.serve_on(listener))
        code = await _ask(address)
        server.stop()
        await serving_it
        return code


def _settings(simulated: Mapping[str, str]) -> Settings:
    """With what the environment says of `[server]`, other than where it listens. The rest of it is for `serve`."""
    tables = _tables(simulated)
    ours = {name: text for name, text in os.environ.items() if name.startswith(SERVER) and name not in ADDRESS}
    for name in sorted(set(os.environ) & ADDRESS):
        click.echo(f"connection-gateway: {name} is ignored: the demo listens on --port of 127.0.0.1", err=True)
    overrides = Overrides()
    overrides.apply(tables, ours)
    try:
        return from_tables(tables)
    except ConfigurationError as error:
        raise overrides.name_variable(error) from None


def _tables(simulated: Mapping[str, str]) -> dict[str, Any]:
    """The configuration for these adapters' simulators, by the address of each."""
    return {
        "server": {"console": True},
        "platforms": {
            demo(kind).name: {"adapter": kind, "base_url": url, "credentials": demo(kind).credentials()}
            for kind, url in simulated.items()
        },
    }


def _listen(port: int) -> socket.socket:
    with contextlib.suppress(OSError):
        return listen_on("127.0.0.1", port)
    return listen_on("127.0.0.1", 0)


def _lines(address: str) -> list[str]:
    return [f"curl -s {address}{path}" for path in PATHS]


async def _ask(address: str) -> int:
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        answers = [await client.get(path) for path in PATHS]
    for line, answer in zip(_lines(address), answers, strict=True):
        click.echo(f"$ {line}\n{answer.text}")
    return 0 if all(answer.is_success for answer in answers) else 1
