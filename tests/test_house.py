"""What import-linter can't say without a list of adapters: siblings never meet, and the gateway meets only the contract."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = sorted(each.parent for each in (ROOT / "adapters").glob("*/adapter.py"))
FILES = {"settings.py", "wire.py", "tables.py", "credentials.py", "answers.py", "adapter.py", "__init__.py"}
SIMULATOR = {"state.py", "api.py", "__init__.py"}
SHARED = {"call", "contract", "files", "loop", "mismatch", "secret", "settings", "times", "user_ids", "simulation"}


def imported(folder: Path) -> Iterator[str]:
    """The modules of `adapters` that anything in this folder imports: `contract`, `symphony`, …"""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module == "adapters":
                names = [f"adapters.{each.name}" for each in node.names if each.name[0].islower()]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [each.name for each in node.names]
            yield from (name.split(".")[1] for name in names if name.startswith("adapters."))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_all_adapters_have_the_same_files(folder: Path) -> None:
    assert {file.name for file in folder.glob("*.py")} == FILES
    assert {file.name for file in folder.glob("simulator/*.py")} == SIMULATOR


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_siblings_never_meet(folder: Path) -> None:
    assert set(imported(folder)) & {each.name for each in FOLDERS} <= {folder.name}


def test_the_gateway_meets_only_the_contract() -> None:
    found = set(imported(ROOT / "gateway"))
    assert "contract" in found
    assert found <= SHARED | {"connect", "adapter_name"}
