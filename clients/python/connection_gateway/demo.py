"""The real gateway's demo as a process, for tests of bots: it needs `connection-gateway` to be installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Demo:
    """A running demo. `url` is the gateway's; `simulators` has those of its platforms, by name."""

    url: str
    simulators: dict[str, str]


class NotInstalled(Exception):
    """There is no `connection-gateway` to start."""


@contextlib.contextmanager
def demo() -> Iterator[Demo]:
    """Starts a demo on free ports of loopback, and stops it at the end. Raises NotInstalled if there is none."""
    beside = str(Path(sys.executable).parent)
    command = shutil.which("connection-gateway", path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if command is None:
        raise NotInstalled("connection-gateway is not installed in this environment")
    process = subprocess.Popen(  # noqa: S603  it was found above
        [command, "demo", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield _read(process)
    finally:
        process.terminate()
        process.communicate()


def _read(process: subprocess.Popen[str]) -> Demo:
    """What it prints once it listens: a line with its own address, and one with those of its simulators."""
    url = ""
    for line in process.stdout or ():
        words = line.replace(",", "").split()
        if line.endswith("/docs\n"):
            url = words[-1].removesuffix("/docs")
        elif url and "symphony" in words:
            pod, community = (words[words.index(name) + 2] for name in ("symphony", "selfcommunity"))
            return Demo(url, {"symphony": pod, "community": community})
    raise RuntimeError(f"connection-gateway demo ended with {process.wait()} before it listened")
