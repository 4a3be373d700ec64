from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.credentials.gates import Gate, none_hangs


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()
    asyncio.run(none_hangs())
