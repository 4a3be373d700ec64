"""Standard input, output and error, for whoever starts us without one of them (`2>&-`)."""

from __future__ import annotations

import os
import sys


def reserve() -> None:
    """Open the null device in place of a standard stream that is closed.

    Its number would otherwise be given to the next file or socket, and what is meant for the log be written there.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115  as long as the process runs
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115  as above
