"""The wheel, in an environment that has nothing else."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.docs.served import demo

CLIENT = Path(__file__).parent.parent
VERSION = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]["version"]


async def run(*command: str | Path, cwd: Path = CLIENT) -> str:
    process = await asyncio.create_subprocess_exec(*command, cwd=cwd, stdout=subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


async def test_the_wheel_needs_two_packages_and_runs_an_example(tmp_path: Path) -> None:
    await run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path)
    wheel = tmp_path / f"connection_gateway_client-{VERSION}-py3-none-any.whl"
    python = tmp_path / "venv/bin/python"
    await run(sys.executable, "-m", "venv", tmp_path / "venv")
    await run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    told = await run(python, "-c", "import importlib.metadata as m; print(*m.requires('connection-gateway-client'))")
    assert {each.partition(">")[0] for each in told.split()} == {"httpx", "msgspec"}
    await run(python, "-c", "import connection_gateway.testing", cwd=tmp_path)
    asked = "import importlib.metadata as m; print(*(each.value for each in m.entry_points(group='pytest11')))"
    assert "connection_gateway.pytest_plugin" in (await run(python, "-c", asked, cwd=tmp_path)).split()
    async with demo(0) as url:
        assert "connected" in await run(python, CLIENT / "examples/accept_pending.py", url, cwd=tmp_path)
