from __future__ import annotations

import functools
import os
import socket
from collections.abc import AsyncIterator, Callable, Generator
from typing import Final

import pytest
from coverage import Coverage
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.canary import Watch
from tests.gateways import CALLERS, Gateway, running
from tests.promises import Promises
from tests.reporting import PROMISES, WATCH, Report

# A gateway per test, each with the same key, whose parsing takes 40 ms: it is parsed once.
setattr(serialization, "load_pem_private_key", functools.cache(load_pem_private_key))  # noqa: B010  mypy's wish

REPORT: Final = pytest.StashKey[Report]()
Watch.on_duty = WATCH
Watch.install()
Promises.on_duty = PROMISES
Promises.install()


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
def port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Say something at the end of the run, whichever process it is in."""
    return pytestconfig.stash[REPORT].lines.append


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = Report(no_skips="NO_SKIPS" in os.environ)
    config.pluginmanager.register(config.stash[REPORT])


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Trace nothing of what is marked `no_cover`.

    A process of xdist's is traced three times over: as one that was started under coverage, and twice by pytest-cov
    (7.1), which has stopped one of its two by now.
    """
    stopped: list[Coverage] = []
    while item.get_closest_marker("no_cover") and (one := Coverage.current()):
        one.stop()
        stopped.append(one)
    try:
        return (yield)
    finally:
        for one in reversed(stopped):
            one.start()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that take a minute or more begin first: where tests run side by side, nobody waits for them alone."""
    items.sort(key=lambda item: item.get_closest_marker("no_cover") is None)
