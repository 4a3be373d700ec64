from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from adapters.simulation import serving, simulator
from tests.simulation.clients import TOKEN

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Made once and without certificates: each client would load them anew, which takes 30 ms."""


@asynccontextmanager
async def opened(adapter: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a simulated platform, with the token `demo`."""
    async with (
        serving(simulator(adapter)) as url,
        httpx.AsyncClient(base_url=url, headers=TOKEN[adapter], verify=NO_TLS) as client,
    ):
        yield client


@pytest.fixture(params=TOKEN)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def client(adapter: str) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(adapter) as client:
        yield client


@pytest.fixture
async def pod() -> AsyncIterator[httpx.AsyncClient]:
    async with opened("symphony") as client:
        yield client


@pytest.fixture
async def community() -> AsyncIterator[httpx.AsyncClient]:
    async with opened("selfcommunity") as client:
        yield client
