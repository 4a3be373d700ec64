from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.callers.tokens import kiosk, page
from tests.gateways import OWN, Gateway, caller, running


@pytest.fixture
async def signing(tmp_path: Path) -> AsyncIterator[Gateway]:
    """One caller with a key set, one with a key in PEM, and one that sends a key."""
    async with running(OWN, [page(tmp_path), kiosk(tmp_path), caller("bot")]) as gateway:
        yield gateway
