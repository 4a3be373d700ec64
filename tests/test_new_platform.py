"""`make new-platform`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import new_platform
from tests.new_platform import ROOT
from tests.test_house import FILES, SIMULATOR

EDITED = ("adapters/__init__.py", "tests/contract/dialects.py", "config/gateway.example.toml")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for file in (*EDITED, "pyproject.toml"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def test_the_skeleton_has_all_files_and_is_in_every_list(root: Path) -> None:
    new_platform.main("guestbook", root)
    folder = root / "adapters" / "guestbook"
    assert {each.name for each in folder.glob("*.py")} == FILES
    assert {each.name for each in folder.glob("simulator/*.py")} == SIMULATOR
    assert all("guestbook" in (root / file).read_text() for file in EDITED)


def test_the_skeleton_is_in_order(root: Path) -> None:
    """Once `make new-platform` has put it in order: types are checked by `make check`, which takes too long here."""
    new_platform.main("guestbook", root)
    ruff = Path(sys.executable).parent / "ruff"
    subprocess.run([ruff, "check", "--quiet", "--fix", "."], cwd=root, check=True)  # noqa: S603  ours


def test_what_is_left_to_write_is_said(root: Path) -> None:
    new_platform.main("guestbook", root)
    adapter = (root / "adapters" / "guestbook" / "adapter.py").read_text()
    assert [adapter.count(f'"{method}: ') for method in ("read_before", "list", "act", "identify")] == [1, 1, 1, 1]


@pytest.mark.parametrize("name", ["", "Guest", "guest-book", "1a", "a" * 33, "symphony", "sessions", "../x"])
def test_a_name_that_is_none_or_taken_writes_nothing(root: Path, name: str) -> None:
    before = {file: (root / file).read_text() for file in EDITED}
    for taken in ("symphony/adapter.py", "sessions.py"):
        (root / "adapters" / taken).parent.mkdir(exist_ok=True)
        (root / "adapters" / taken).touch()
    with pytest.raises(ValueError, match=r"^NAME: "):
        new_platform.main(name, root)
    assert {file: (root / file).read_text() for file in EDITED} == before
