"""What the commands print for people, and how they end."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

NO = 1


WRONG_USE = 2


def stop(text: str, code: int) -> NoReturn:
    say(text)
    sys.exit(code)


def say(text: str) -> None:
    show(f"connection-gateway: {text}", err=True)


def show(line: str, *, err: bool = False) -> None:
    """Print one line for people, whatever stands in it."""
    from gateway.config.printable import encodable, printable

    click.echo(encodable(printable(line), err=err), err=err)
