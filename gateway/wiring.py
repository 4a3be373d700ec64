"""From settings to connected platforms: what the app and the command line both stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import httpx
import msgspec

from adapters import adapter_name, connect
from adapters.settings import PlatformSettings
from gateway.platform import Platform
from gateway.settings import Settings
from gateway.transports.bounded import BoundedTransport

IDLE_CONNECTIONS: Final = 100
"""Connections to one platform that are kept open between calls."""

Wire = Callable[[PlatformSettings], httpx.AsyncBaseTransport]
"""Gives a platform its innermost transport."""


class Connected(msgspec.Struct, frozen=True):
    """The platforms by their names; `aclose` when nobody asks them any more."""

    platforms: Mapping[str, Platform]
    transports: tuple[httpx.AsyncBaseTransport, ...]

    async def aclose(self) -> None:
        for platform in self.platforms.values():
            await platform.close()
        for transport in self.transports:
            await transport.aclose()


def connect_all(settings: Settings, wire: Wire | None = None) -> Connected:
    """Every configured platform, over `wire` (default: the network). Nothing is sent yet."""
    wire = wire or network()
    timeout = settings.server.request_timeout
    platforms: dict[str, Platform] = {}
    transports: list[httpx.AsyncBaseTransport] = []
    for name, each in settings.platforms.items():
        transport = BoundedTransport(wire(each))
        transports.append(transport)
        adapter = connect(name, each, transport, timeout=timeout)
        platforms[name] = Platform(adapter_name(each), adapter, timeout)
    return Connected(platforms, tuple(transports))


def network() -> Wire:
    """httpx's own transports. They share one TLS context: loading the certificates takes 20 ms."""
    tls = httpx.create_ssl_context()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=IDLE_CONNECTIONS)
    return lambda _settings: httpx.AsyncHTTPTransport(verify=tls, limits=limits)
