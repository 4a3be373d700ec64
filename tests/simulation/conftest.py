from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.simulation import serving, simulator
from tests.simulation.clients import TOKEN


@pytest.fixture(params=TOKEN)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def client(adapter: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(simulator(adapter)) as url, httpx.AsyncClient(base_url=url, headers=TOKEN[adapter]) as client:
        yield client


@pytest.fixture
async def pod() -> AsyncIterator[httpx.AsyncClient]:
    async with serving(simulator("symphony")) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


@pytest.fixture
async def community() -> AsyncIterator[httpx.AsyncClient]:
    async with serving(simulator("selfcommunity")) as url, httpx.AsyncClient(base_url=url) as client:
        yield client
