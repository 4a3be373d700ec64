"""The command line. Exit 0: good. 1: the answer is no. 2: wrong use or configuration.

A command imports what it runs when it runs: starting is a figure of ours.
"""

from __future__ import annotations

from gateway.cli import early_signals, standard_streams

early_signals.defer()  # before anything else is imported: that takes a while
standard_streams.reserve()  # before any other file is opened

import click  # noqa: E402  as above

from gateway import __version__  # noqa: E402
from gateway.cli import ask, hash_key, openapi, serve  # noqa: E402


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
