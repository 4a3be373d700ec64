"""What the commands share: where the configuration comes from, and how they end."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from adapters.secret import Token
    from gateway.settings import Settings

NO = 1
WRONG_USE = 2

config_option = click.option(
    "--config",
    envvar="GATEWAY_CONFIG",
    type=click.Path(path_type=Path),
    help="The TOML file; without it (and without GATEWAY_CONFIG) the environment alone configures.",
)
token_option = click.option(
    "--token-file", type=click.Path(path_type=Path), help="Holds the viewer's token (or: GATEWAY_TOKEN)."
)


def read_settings(config: Path | None) -> Settings:
    from gateway.settings import ConfigurationError
    from gateway.sources import load

    try:
        return load(config, os.environ)
    except ConfigurationError as error:
        stop(f"configuration: {error}", WRONG_USE)


def read_token(token_file: Path | None) -> Token | None:
    """The viewer's token, never taken from an argument: arguments are everybody's to read."""
    from adapters.secret import Token

    source = "GATEWAY_TOKEN"
    text = os.environ.get(source) or None
    try:
        if token_file is not None:
            source = f"--token-file: {token_file}"
            text = token_file.read_text(errors="replace").strip()
        return None if text is None else Token(text)
    except OSError as error:
        stop(f"{source}: {error.strerror}", WRONG_USE)
    except ValueError as error:
        stop(f"{source}: {error}", WRONG_USE)


def stop(text: str, code: int) -> NoReturn:
    say(text)
    sys.exit(code)


def say(text: str) -> None:
    click.echo(f"connection-gateway: {text}", err=True)
