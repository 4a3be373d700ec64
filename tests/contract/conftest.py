from __future__ import annotations

import pytest

from tests.contract.dialects import DIALECTS, Dialect, Platform


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.adapter)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    found: Dialect = request.param
    return found


@pytest.fixture
def platform(dialect: Dialect) -> Platform:
    """Every test of this suite runs once for each adapter, and asks none for its name."""
    return Platform(dialect)
