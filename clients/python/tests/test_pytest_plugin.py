"""The fixture for bots' own tests: the example of the page has a demo, and is skipped where there is no gateway."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).parent.parent
PAGE = CLIENT.parent.parent / "docs/clients/python.md"
WITHOUT = """
import sys


def test_where_there_is_none(monkeypatch, request):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "/nowhere")
    request.getfixturevalue("connection_gateway_demo")
"""


def test_a_bots_test_has_a_demo_or_is_skipped(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n([^`]*connection_gateway_demo[^`]*)```", PAGE.read_text())
    (tmp_path / "test_bot.py").write_text(example)
    (tmp_path / "test_without.py").write_text(WITHOUT)
    without = ["-p", "no:asyncio", "-p", "no:schemathesis", "-p", "no:cacheprovider"]
    run = subprocess.run(  # noqa: S603  pytest itself
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "connection_gateway.pytest_plugin", *without, "."],
        cwd=tmp_path,
        env={"PYTHONPATH": str(CLIENT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed, 1 skipped" in run.stdout, run.stdout
    assert "connection-gateway is not installed in this environment" in run.stdout
