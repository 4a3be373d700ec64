"""Platforms as the gateway connects them, and one question to ask them all.

A platform at `NOWHERE` can't be reached but through a proxy that takes its callers elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from adapters.contract import Unreachable, Viewer
from adapters.selfcommunity.simulator import SECRET
from gateway.config.converter import from_tables
from gateway.platforms.platform import Platform
from gateway.platforms.registry import PlatformRegistry
from gateway.telemetry.metrics import Metrics
from tests.gateways import NAMED, OWN, caller

NOWHERE = "127.0.0.1:1"
"""A port at which nobody listens."""
BOT = {"adapter": "symphony", "credentials": OWN["acme"]}
OBO = {"adapter": "symphony", "credentials": NAMED["acme"]}
TOKEN = {"adapter": "selfcommunity", "credentials": OWN["club"]}
OAUTH2 = {
    "adapter": "selfcommunity",
    "credentials": {
        "mode": "oauth2",
        "client_id": "demo",
        "client_secret": SECRET,
        "username": "demo",
        "password": "demo",
    },
}
INFO = "/pod/v1/connection/user/103/info"
LOGIN = "/login/pubkey/authenticate"


@asynccontextmanager
async def wired(**platforms: dict[str, Any]) -> AsyncIterator[Mapping[str, Platform]]:
    """Platforms as the gateway connects them, with as much time as a slow machine may need."""
    settings = from_tables(
        {
            "server": {"request_timeout": 30},
            "cache": {"fresh_for": 0},
            "callers": [caller("web")],
            "platforms": platforms,
        }
    )
    registry = PlatformRegistry(settings, warn=lambda _event, _platform: None, metrics=Metrics())
    try:
        yield registry.platforms
    finally:
        await registry.aclose()


async def lookup(platform: Platform, viewer: int | None = None) -> str:
    whose = Viewer.own(platform.name) if viewer is None else Viewer.named(platform.name, viewer)
    reading = await platform.lookups.one(whose, 103, asyncio.get_running_loop().time() + 30)
    return str(msgspec.json.decode(reading.body)["status"])


async def ask(table: dict[str, Any], viewer: int | None = None) -> str:
    """Where the viewer stands with user 103."""
    async with wired(acme=table) as platforms:
        return await lookup(platforms["acme"], viewer)


async def assert_untrusted(platform: Platform) -> None:
    with pytest.raises(Unreachable) as caught:
        await lookup(platform)
    assert "certificate verify failed" in str(caught.value.__cause__)
