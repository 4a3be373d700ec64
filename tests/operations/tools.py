"""Runs the ecosystem's own validators on the files under `config/`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = Path(__file__).parent.parent.parent / "config"
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}{os.pathsep}/usr/sbin"


def needs(name: str) -> pytest.MarkDecorator:
    """Skips a test where this tool is not installed."""
    return pytest.mark.skipif(shutil.which(name, path=PATH) is None, reason=f"there is no {name}")


def output_of(*command: str | Path) -> str:
    """What a tool writes. It must succeed."""
    done = run(*command)
    assert done.returncode == 0, f"{command[0]}:\n{done.stdout}{done.stderr}"
    return done.stdout


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    words[0] = shutil.which(words[0], path=PATH) or words[0]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603  ours
