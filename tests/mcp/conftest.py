from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.gateways import Gateway, running


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """One that agents may call."""
    async with running(mcp=True) as it:
        yield it
