"""From settings to connected adapters: what the app and the command line both stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import httpx
import msgspec

from adapters import connect
from adapters.contract import Adapter
from adapters.settings import PlatformSettings
from gateway.settings import Settings
from gateway.transports.bounded import BoundedTransport

IDLE_CONNECTIONS: Final = 100
"""Connections to one platform that are kept open between calls."""

Wire = Callable[[PlatformSettings], httpx.AsyncBaseTransport]
"""Gives a platform its innermost transport."""


class Connected(msgspec.Struct, frozen=True):
    """The adapters by the names of their platforms; `aclose` when nobody asks them any more."""

    adapters: Mapping[str, Adapter]
    transports: tuple[httpx.AsyncBaseTransport, ...]

    async def aclose(self) -> None:
        for transport in self.transports:
            await transport.aclose()


def connect_all(settings: Settings, wire: Wire | None = None) -> Connected:
    """Every configured platform, over `wire` (default: the network). Nothing is sent yet."""
    wire = wire or network()
    transports = {name: BoundedTransport(wire(each)) for name, each in settings.platforms.items()}
    timeout = settings.server.request_timeout
    return Connected(
        {name: connect(name, each, transports[name], timeout=timeout) for name, each in settings.platforms.items()},
        tuple(transports.values()),
    )


def network() -> Wire:
    """httpx's own transports. They share one TLS context: loading the certificates takes 20 ms."""
    tls = httpx.create_ssl_context()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=IDLE_CONNECTIONS)
    return lambda _settings: httpx.AsyncHTTPTransport(verify=tls, limits=limits)
