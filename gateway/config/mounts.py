"""Finds files that are mounted by themselves (Kubernetes' `subPath`): what is put in their place is never seen."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

MOUNTS: Final = Path("/proc/self/mountinfo")
_ESCAPE: Final = re.compile(r"\\([0-7]{3})")


def mounted_alone(files: Iterable[str], mounts: Path = MOUNTS) -> list[str]:
    """Those of the files that are mount points (proc_pid_mountinfo(5)); none where the system does not tell."""
    points: set[str] = set()
    with contextlib.suppress(OSError):
        for line in mounts.read_text(errors="surrogateescape").splitlines():
            fields = line.split(" ")
            if len(fields) > 4:
                points.add(_ESCAPE.sub(lambda found: chr(int(found[1], 8)), fields[4]))
    return [file for file in files if os.path.realpath(file) in points]
