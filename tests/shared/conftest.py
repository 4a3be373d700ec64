from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.conftest import pod, run
from tests.shared.valkey import Valkey

__all__ = ["pod", "run"]


@pytest.fixture(scope="session")
def server() -> Iterator[Valkey]:
    started = Valkey()
    yield started
    started.close()


@pytest.fixture
def valkey(server: Valkey) -> Valkey:
    """Empty."""
    server.flush()
    return server


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """One that a test may kill."""
    started = Valkey()
    yield started
    started.close()
