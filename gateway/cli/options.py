"""What the commands share: where the configuration comes from, and how they end."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from adapters.secret import Token
    from gateway.settings import Settings

NO = 1
WRONG_USE = 2

TYPED_WITHIN = 60.0
"""Seconds for a token to come through a pipe: whatever writes it may ask for a password first."""


def _without_carriage_return(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    """A variable from a file with Windows line ends has one."""
    return path and Path(str(path).removesuffix("\r"))


config_option = click.option(
    "--config",
    envvar="GATEWAY_CONFIG",
    type=click.Path(path_type=Path),
    callback=_without_carriage_return,
    help="The TOML file; without it (and without GATEWAY_CONFIG) the environment alone configures.",
)
token_option = click.option(
    "--token-file", type=click.Path(path_type=Path), help="Holds the viewer's token (or: GATEWAY_TOKEN)."
)

on_behalf_option = click.option(
    "--on-behalf-of", metavar="USER_ID", help="The viewer, where one must be named; for several: acme=123,club=7."
)


def viewer_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say as whom to ask, as the command's `seen_as`."""

    @token_option
    @on_behalf_option
    @functools.wraps(command)
    def with_viewer(*, token_file: Path | None, on_behalf_of: str | None, **rest: Any) -> None:
        from gateway.commands import As

        command(seen_as=As(read_token(token_file), on_behalf_of), **rest)

    return with_viewer


def parse_settings(config: Path | None) -> Settings:
    """The settings, or the end."""
    from gateway.settings import ConfigurationError
    from gateway.sources import load

    try:
        return load(config, os.environ)
    except ConfigurationError as error:
        stop(f"configuration: {error}", WRONG_USE)


def read_settings(config: Path | None) -> Settings:
    """The settings; what they give cause to is said, and stops nothing."""
    settings = parse_settings(config)
    for each in settings.warnings:
        say(f"warning: {each.setting}: {each.text}")
    return settings


def read_token(token_file: Path | None) -> Token | None:
    """The viewer's token, never taken from an argument: arguments are everybody's to read."""
    from adapters.files import UnreadableFile, read_text_file
    from adapters.secret import Token, parse_secret

    source = "GATEWAY_TOKEN"
    text = os.environ.get(source) or None
    try:
        if token_file is not None:
            source = "--token-file"
            text = read_text_file(token_file, streams=True, timeout=TYPED_WITHIN).text
            source += f": {token_file}"
        return None if text is None else Token(parse_secret(text))
    except (UnreadableFile, ValueError) as error:
        stop(f"{source}: {error}", WRONG_USE)


def stop(text: str, code: int) -> NoReturn:
    say(text)
    sys.exit(code)


def say(text: str) -> None:
    show(f"connection-gateway: {text}", err=True)


def show(line: str, *, err: bool = False) -> None:
    """Print one line for people, whatever stands in it."""
    from gateway.printable import encodable, printable

    click.echo(encodable(printable(line), err=err), err=err)
