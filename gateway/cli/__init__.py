"""The command line. Exit 0: good. 1: the answer is no. 2: wrong use or configuration."""

from __future__ import annotations

import sys

from gateway.cli import early_signals, standard_streams

early_signals.defer()  # before anything else is imported: that takes a while
standard_streams.reserve()  # before any other file is opened


def run() -> None:
    """Run the command that the process's arguments name.

    What takes a while is imported only after `serve` heeds signals, and never by `wait`.
    """
    match sys.argv[1:]:
        case ["serve", *_]:
            early_signals.end_when_told()
        case ["wait", *words]:
            early_signals.restore()
            from gateway.cli import probe

            code = probe.run_arguments(words)
            if code is not None:
                sys.exit(code)
    from gateway.cli.commands import main

    main(prog_name="connection-gateway")
