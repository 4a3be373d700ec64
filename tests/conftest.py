from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from typing import Final

import pytest

from tests.canary import Watch
from tests.gateways import CALLERS, Gateway, running
from tests.reporting import WATCH, Report

REPORT: Final = pytest.StashKey[Report]()
Watch.on_duty = WATCH
Watch.install()


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


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Say something at the end of the run, whichever process it is in."""
    return pytestconfig.stash[REPORT].lines.append


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = Report(no_skips="NO_SKIPS" in os.environ)
    config.pluginmanager.register(config.stash[REPORT])
