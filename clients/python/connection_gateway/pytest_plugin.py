"""Fixtures for the tests of bots, which pytest finds by itself once this package is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connection_gateway.demo import Demo, NotInstalled, demo


@pytest.fixture
def connection_gateway_demo() -> Iterator[Demo]:
    """A `connection-gateway demo` of this test's own: `.url`, and `.simulators` by the names of the platforms."""
    try:
        with demo() as running:
            yield running
    except NotInstalled as missing:
        pytest.skip(str(missing))
