"""What the configuration can say. `sources` reads it; only `app` sees the whole."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated

import msgspec

from adapters.secret import Secret
from adapters.settings import PlatformSettings


class ConfigurationError(Exception):
    """The start stops here. The text is one line that names the key with its table."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))


class HostName(str):
    """A name or address that the gateway answers to, as a `Host` header has it but without a port; in lower case."""

    __slots__ = ()

    def __new__(cls, text: str) -> HostName:
        """Raise ValueError where `text` is neither."""
        name = text.lower()
        if not re.fullmatch(r"[a-z0-9._-]+", name) and _address(name) is None:
            raise ValueError("expected a name or an address, without a port")
        return super().__new__(cls, name)


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[server]`. Times are in seconds."""

    host: Annotated[str, msgspec.Meta(min_length=1)] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8080
    hosts: tuple[HostName, ...] = ()
    request_timeout: Annotated[float, msgspec.Meta(gt=0, le=300)] = 2.0
    drain_timeout: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 10.0
    allow_anonymous: bool = False
    hash_key: Secret | None = None
    hash_key_file: str | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The whole configuration. Parts that don't go together can't be made into one: ConfigurationError."""

    server: ServerSettings
    platforms: Mapping[str, PlatformSettings]

    def __post_init__(self) -> None:
        if not self.platforms:
            raise ConfigurationError("platforms: at least one [platforms.NAME] is needed")
        ours = next((name for name, platform in self.platforms.items() if platform.mode != "caller"), None)
        if ours and not is_loopback(self.server.host) and not self.server.allow_anonymous:
            raise ConfigurationError(
                f"server.host: {self.server.host} is reachable from outside, and anybody there could use the"
                f" credential of platforms.{ours}: listen on loopback or set server.allow_anonymous = true"
            )


def is_loopback(host: str) -> bool:
    """Whether this name or address is this machine's own, and nobody else's."""
    if host.lower() == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
