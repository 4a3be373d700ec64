from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.gateways import CALLERS, Gateway, running


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """Holds a credential of its own for both platforms."""
    async with running() as own:
        yield own


@pytest.fixture
async def passing() -> AsyncIterator[Gateway]:
    """Passes on its callers' tokens to both platforms."""
    async with running(CALLERS) as callers:
        yield callers
