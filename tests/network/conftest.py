from __future__ import annotations

from pathlib import Path

import pytest

from adapters.simulation import Simulator, simulator
from tests.tls import Authority


@pytest.fixture
def pod() -> Simulator:
    return simulator("symphony")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def another(tmp_path: Path) -> Authority:
    """Of the same name, so that only its key tells it from the first."""
    folder = tmp_path / "another"
    folder.mkdir()
    return Authority(folder)
