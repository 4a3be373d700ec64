"""The short form of `make faults`: counts, kinds, and deadlines with 2 s of slack, since others run beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.live import api
from tests.faults.live.figures import SHORT
from tests.faults.live.suite import ALL, run


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ALL)
def test_a_scenario_holds(name: str, port: int, tmp_path: Path) -> None:
    figures = run(name, tmp_path, port, SHORT)
    assert [each for each in figures if not each.holds and not each.is_timing] == []


def test_whatever_is_asked_is_answered_or_a_problem() -> None:
    assert api.try_all(SHORT.cases).total() >= SHORT.cases
