"""The command about the HTTP API itself: `openapi`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.options import config_option, parse_settings
from gateway.cli.output import WRONG_USE, stop

if TYPE_CHECKING:
    from gateway.config.settings import Settings


@click.command()
@config_option
def openapi(config: Path | None) -> None:
    """Print the HTTP API as OpenAPI 3.1: what a gateway with this configuration serves at /openapi.json.

    Without any configuration: of a gateway that takes the tokens of every kind of platform.
    """
    import msgspec
    from msgspec import structs

    from gateway.app import create_app
    from gateway.config.settings import ConfigurationError

    is_configured = config is not None or any(name.startswith("GATEWAY_PLATFORMS__") for name in os.environ)
    settings = parse_settings(config) if is_configured else of_every_kind()
    try:
        # What traces would be handed on, and nothing is asked here.
        quiet = structs.replace(settings, server=structs.replace(settings.server, traces=False))
        document: bytes = create_app(quiet).state.openapi()
    except ConfigurationError as error:
        stop(f"configuration: {error}", WRONG_USE)
    click.echo(msgspec.json.format(document, indent=2))


def of_every_kind() -> Settings:
    """A platform of each kind, to which callers bring their tokens."""
    from adapters import ADAPTERS, adapter_name
    from gateway.config.converter import from_tables

    kinds = [adapter_name(each) for each in ADAPTERS]
    platforms = {
        kind: {"adapter": kind, "base_url": f"https://{kind}.example.com", "credentials": {"mode": "caller"}}
        for kind in kinds
    }
    return from_tables({"platforms": platforms})
