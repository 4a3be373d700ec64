"""The fixture for bots' own tests, as their pytest finds it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).parent.parent
BOT = """
import os
import sys
from pathlib import Path

from connection_gateway import Gateway, Status

def test_with_a_demo(connection_gateway_demo):
    assert set(connection_gateway_demo.simulators) == {"symphony", "community"}
    with Gateway(connection_gateway_demo.url) as gateway:
        assert gateway.lookup("symphony", 102).status is Status.PENDING_INCOMING

def test_where_there_is_none(monkeypatch, request):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "/nowhere")
    request.getfixturevalue("connection_gateway_demo")
"""


def test_a_bots_test_has_a_demo_or_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "test_bot.py").write_text(BOT)
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
