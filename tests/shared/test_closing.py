"""What a replica does for the store when it stops."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from prometheus_client import CollectorRegistry

from gateway.config.converter import from_tables
from gateway.config.shared_settings import SharedSettings
from gateway.shared.client import Client
from gateway.shared.metrics import SharedMetrics
from gateway.shared.store import Store
from gateway.telemetry.log import Log
from tests.gateways import OWN, tables
from tests.shared.replicas import shared, until
from tests.shared.valkey import Valkey


async def test_a_connection_is_closed_though_whoever_closes_it_is_cancelled(own_valkey: Valkey) -> None:
    async def connections() -> int:
        return int(own_valkey.client.info("clients")["connected_clients"])

    client = Client(settings(own_valkey))
    before = await connections()
    await client.connect()
    assert await connections() == before + 1
    closing = asyncio.create_task(client.close())
    await asyncio.sleep(0)  # it has begun
    closing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await closing
    await until(connections, before)


async def test_what_was_posted_just_before_the_end_is_sent(valkey: Valkey) -> None:
    log, metrics = Log(lambda _line: None), SharedMetrics(CollectorRegistry())
    store = Store(settings(valkey), log, metrics, on_up=lambda: None, connect=Client)
    await store.connect()
    store.post("SET", "posted", "1", "EX", 60)
    await store.aclose()
    assert valkey.client.get("posted") == b"1"


def settings(store: Valkey) -> SharedSettings:
    configuration: dict[str, Any] = tables(OWN)
    configuration["shared"] = shared(store)
    found = from_tables(configuration).shared
    assert found is not None
    return found
