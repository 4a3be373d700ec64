"""The command line. Exit 0: good. 1: the answer is no. 2: wrong use or configuration.

A command imports what it runs when it runs: starting is a figure of ours.
"""

from __future__ import annotations

import click

from gateway import __version__
from gateway.cli import asking, contract, keys, serving


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """One HTTP endpoint that says where two users stand with each other, on any platform."""


for command in (
    serving.demo,
    serving.serve,
    asking.check,
    asking.lookup,
    asking.list_connections,
    asking.act,
    contract.openapi,
    serving.simulate,
    serving.wait,
    keys.hash_key,
):
    main.add_command(command)
