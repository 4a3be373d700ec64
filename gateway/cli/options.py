"""Options that several commands share."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.output import WRONG_USE, say, stop

if TYPE_CHECKING:
    from adapters.secret import Token
    from gateway.config.settings import Settings


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
        from gateway.cli.viewer import ViewerOptions

        command(seen_as=ViewerOptions(read_token(token_file), on_behalf_of), **rest)

    return with_viewer


def parse_settings(config: Path | None) -> Settings:
    """The settings, or the end."""
    from gateway.config.loader import load
    from gateway.config.settings import ConfigurationError

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
