"""The command line. Exit 0: good. 1: the answer is no. 2: wrong use or configuration."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from gateway import __version__

if TYPE_CHECKING:
    from gateway.settings import Settings

NO = 1
WRONG_USE = 2
PORT = click.IntRange(0, 65535)

config_option = click.option(
    "--config",
    envvar="GATEWAY_CONFIG",
    type=click.Path(path_type=Path),
    help="The TOML file; without it (and without GATEWAY_CONFIG) the environment alone configures.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """One HTTP endpoint that says where two users stand with each other, on any platform."""


@main.command()
@click.option("--port", type=PORT, default=8080, show_default=True, help="Taken if it is free, else a free one is.")
@click.option("--check", is_flag=True, help="Run the three lines itself, print the answers, and exit.")
def demo(port: int, check: bool) -> None:
    """Serve two simulated platforms and the gateway in front of them. Needs no file and no credentials."""
    from gateway.demo import run_demo

    sys.exit(run_demo(port, check=check))


@main.command()
@config_option
def serve(config: Path | None) -> None:
    """Serve until stopped."""
    from gateway.app import create_app, log_of
    from gateway.server import Server, listen, run

    settings = _settings(config)
    log = log_of(settings)
    log.take_over()
    try:
        listener = listen(settings.server.host, settings.server.port)
    except OSError as error:
        _stop(f"server: can't listen on {settings.server.host}:{settings.server.port}: {error.strerror}", NO)
    run(Server(create_app(settings, log=log), settings.server, log).serve_on(listener))


@main.command()
@config_option
def check(config: Path | None) -> None:
    """Is the configuration right, and does every platform take its credential?"""
    import asyncio

    from gateway import commands

    settings = _settings(config)
    click.echo("configuration: ok")
    findings = asyncio.run(commands.check(settings))
    for found in findings:
        click.echo(f"{found.platform} ({found.mode}): {found.text}")
    sys.exit(0 if all(found.good for found in findings) else NO)


@main.command()
@config_option
@click.option("--token-file", type=click.Path(path_type=Path), help="Holds the viewer's token (or: GATEWAY_TOKEN).")
@click.argument("platform")
@click.argument("user_id")
def lookup(config: Path | None, token_file: Path | None, platform: str, user_id: str) -> None:
    """Print where the viewer stands with USER_ID on PLATFORM, as JSON."""
    import asyncio

    import msgspec

    from adapters.contract import PlatformError, parse_user_id
    from adapters.secret import Token
    from gateway import commands

    settings = _settings(config)
    if platform not in settings.platforms:
        _stop(f"platform: expected one of {', '.join(settings.platforms)}", WRONG_USE)
    try:
        user = parse_user_id(user_id)
        text = token_file.read_text().strip() if token_file else os.environ.get("GATEWAY_TOKEN")
        token = None if text is None else Token(text)
    except OSError as error:
        _stop(f"--token-file: {token_file}: {error.strerror}", WRONG_USE)
    except ValueError as error:
        _stop(str(error), WRONG_USE)
    try:
        connection = asyncio.run(commands.lookup(settings, platform, user, token))
    except commands.MissingToken:
        _stop(f"platform {platform} wants the viewer's token: --token-file or GATEWAY_TOKEN", WRONG_USE)
    except PlatformError as error:
        _stop(commands.describe(error), NO)
    click.echo(msgspec.json.format(msgspec.json.encode(connection)))


@main.command()
@click.argument("adapter")
@click.option("--port", type=PORT, default=9001, show_default=True, help="0: a free one.")
@click.option("--empty", is_flag=True, help="Seed no users but viewer 1.")
@click.option(
    "--public-key", type=click.Path(path_type=Path), help="Symphony: log in only what this key (PEM) verifies."
)
def simulate(adapter: str, port: int, empty: bool, public_key: Path | None) -> None:
    """Serve one simulated platform (ADAPTER: symphony or selfcommunity) on loopback until stopped."""
    from adapters import ADAPTERS, adapter_name
    from adapters.simulation import simulator
    from gateway.simulate import run_simulator

    names = [adapter_name(each) for each in ADAPTERS]
    if adapter not in names:
        _stop(f"adapter: expected one of {', '.join(names)}", WRONG_USE)
    options: dict[str, object] = {"empty": empty}
    try:
        if public_key is not None:
            options["public_key"] = public_key.read_text()
        platform = simulator(adapter, **options)
    except TypeError:
        _stop(f"--public-key: a simulated {adapter} checks no signatures", WRONG_USE)
    except (OSError, ValueError):
        _stop(f"--public-key: {public_key}: expected a file with a public key in PEM", WRONG_USE)
    try:
        run_simulator(adapter, platform, port)
    except OSError as error:
        _stop(f"--port: {error.strerror}", NO)


@main.command()
@config_option
@click.option("--timeout", type=click.FloatRange(0, 3600), default=30, show_default=True, help="Seconds.")
def wait(config: Path | None, timeout: float) -> None:
    """Wait until the gateway at the configured address is ready."""
    from gateway.waiting import wait_until_ready

    if math.isnan(timeout):  # which is in no range, and outside of none
        _stop("--timeout: expected a number of seconds", WRONG_USE)
    server = _settings(config).server
    if not wait_until_ready(server.host, server.port, timeout):
        _stop(f"not ready within {timeout:g} s", NO)


def _settings(config: Path | None) -> Settings:
    from gateway.settings import ConfigurationError
    from gateway.sources import load

    try:
        return load(config, os.environ)
    except ConfigurationError as error:
        _stop(f"configuration: {error}", WRONG_USE)


def _stop(text: str, code: int) -> NoReturn:
    click.echo(f"connection-gateway: {text}", err=True)
    sys.exit(code)
