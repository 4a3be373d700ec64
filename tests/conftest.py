from __future__ import annotations

import os
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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With NO_SKIPS in the environment, as in CI, whatever was skipped fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    skipped = [report.nodeid for report in reporter.stats.get("skipped", ())]
    if skipped and "NO_SKIPS" in os.environ:
        reporter.write_line(f"\nNothing may be skipped here, but these were: {', '.join(skipped)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
