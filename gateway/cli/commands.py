"""The commands of `connection-gateway`, as click has them. A command imports what it runs when it runs."""

from __future__ import annotations

import click

from gateway import __version__
from gateway.cli import ask, early_signals, hash_key, openapi, serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.pass_context
def main(context: click.Context) -> None:
    """One HTTP endpoint that says where two users stand with each other, on any platform."""
    if context.invoked_subcommand != serve.serve.name:
        early_signals.restore()


for command in (
    serve.demo,
    serve.serve,
    ask.check,
    ask.lookup,
    ask.list_connections,
    ask.act,
    openapi.openapi,
    serve.simulate,
    serve.wait,
    hash_key.hash_key,
):
    main.add_command(command)
