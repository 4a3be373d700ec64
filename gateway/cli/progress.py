"""Progress of the command `list`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import msgspec

from gateway.config.printable import printable_json

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from gateway.platforms.listing import Listing


class Progress:
    """Prints pages on standard output. From the second page on a bar on standard error says how far it is, where
    that is a terminal and the output goes elsewhere; otherwise the lines themselves are the progress.
    """

    def __init__(self) -> None:
        self._seen = 0
        self._bar: ProgressBar[int] | None = None

    def page(self, listing: Listing) -> None:
        for connection in listing.connections:
            click.echo(printable_json(msgspec.json.encode(connection)))
        self._seen += len(listing.connections)
        if self._bar is None and listing.next and sys.stderr.isatty() and not sys.stdout.isatty():
            self._bar = click.progressbar(length=1, label="connections", file=sys.stderr, show_pos=True)
        if self._bar is not None:
            self._bar.length = self._seen + listing.remaining
            self._bar.update(self._seen - self._bar.pos)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.render_finish()
