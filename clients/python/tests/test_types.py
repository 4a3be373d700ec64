"""What pyright says of the client's types; mypy checks the same files in `make check`."""

from __future__ import annotations

import asyncio
import shutil
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import msgspec
import pytest

NODE = shutil.which("node") or ""
CLIENT = Path(__file__).parent.parent
PYRIGHT = CLIENT.parent.parent / "tests/docs/node/node_modules/pyright/index.js"

pytestmark = [
    pytest.mark.skipif(not NODE, reason="there is no node"),
    pytest.mark.skipif(not PYRIGHT.is_file(), reason="there is no pyright, which `make test` installs with npm"),
]


async def test_the_examples_are_accepted_and_wrong_uses_are_not(tmp_path: Path) -> None:
    """A line of `wrong_uses.py` that is no error is one: its comment ignores nothing."""
    files = [*sorted((CLIENT / "examples").glob("*.py")), CLIENT / "tests/wrong_uses.py"]
    for each in files:
        shutil.copy(each, tmp_path)
    config = {
        "extraPaths": [str(CLIENT)],
        "typeCheckingMode": "strict",
        "enableTypeIgnoreComments": False,
        "reportUnnecessaryTypeIgnoreComment": "error",
        "reportUnusedExpression": "none",
        "reportUnusedCoroutine": "none",
    }
    (tmp_path / "pyrightconfig.json").write_bytes(msgspec.json.encode(config))
    command: list[str | Path] = [NODE, PYRIGHT, "--project", tmp_path, "--pythonpath", sys.executable, "--outputjson"]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    printed, _ = await asyncio.wait_for(process.communicate(), 120)
    report = msgspec.json.decode(printed)
    found = [
        f"{each['file']}:{each['range']['start']['line'] + 1}: {each['message']}"
        for each in report["generalDiagnostics"]
    ]
    assert found == []
    assert report["summary"]["filesAnalyzed"] == len(files)
