"""The settings of `[shared]`: the store through which replicas share."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Final, Self
from urllib.parse import unquote, urlsplit

import msgspec

from adapters.secret import Secret
from adapters.settings import CertificateFile

_HEX: Final = re.compile(r"[0-9a-fA-F]{64}")
_EXPECTED: Final = "expected a URL such as valkeys://cache.example.com:6379, without password, query and fragment"
PORT: Final = 6379


class StoreUrl(str):
    """Where the store is: `valkey://` or `redis://` in the clear, `valkeys://` or `rediss://` over TLS, `unix://`.

    A path is the number of a database, or for `unix` the socket.
    """

    __slots__ = ("database", "host", "port", "scheme", "socket", "tls", "username")

    scheme: str
    host: str
    port: int
    tls: bool
    socket: str | None
    database: int
    username: str | None

    def __new__(cls, text: str) -> Self:
        """Raise ValueError where `text` is no such URL."""
        url = super().__new__(cls, text)
        parts = urlsplit(text)
        if not text.isascii() or parts.query or parts.fragment or parts.password is not None:
            raise ValueError(_EXPECTED)
        url.scheme, url.host, url.port, url.database, url.socket = parts.scheme, parts.hostname or "", PORT, 0, None
        url.tls = parts.scheme in {"valkeys", "rediss"}
        url.username = unquote(parts.username) if parts.username else None
        if parts.scheme == "unix" and not url.host and parts.path:
            url.socket = parts.path
        elif parts.scheme in {"valkey", "valkeys", "redis", "rediss"} and url.host:
            if not re.fullmatch(r"(/[0-9]{0,5})?", parts.path):
                raise ValueError(_EXPECTED)
            url.port = parts.port or PORT  # raises ValueError itself where it is no port
            url.database = int(parts.path[1:] or 0)
        else:
            raise ValueError(_EXPECTED)
        return url


class SharedKey(Secret):
    """The key under which values are encrypted and names are hashed: 32 bytes."""

    SIZE: ClassVar = 32

    __slots__ = ("data",)

    def __init__(self, text: str) -> None:
        """Raise ValueError where `text` is no such key."""
        super().__init__(text)
        if not _HEX.fullmatch(text):
            raise ValueError("expected 64 hexadecimal digits, as `openssl rand -hex 32` prints")
        self.data = bytes.fromhex(text)


class SharedSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[shared]`. There is none by default: then each process is by itself."""

    url: StoreUrl
    key: SharedKey
    key_file: str | None = None
    previous_key: SharedKey | None = None
    """values under it are read, and none is written"""
    previous_key_file: str | None = None
    password: Secret | None = None
    password_file: str | None = None
    ca_file: CertificateFile | None = None
    prefix: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}\Z")] = "connection-gateway"
    """how all names there begin"""
    timeout: Annotated[float, msgspec.Meta(ge=0.001, le=1)] = 0.05
    """seconds that anything waits for the store"""
    cache: bool = False
    """whether connections are kept there as well: the second tier of the cache"""

    def __post_init__(self) -> None:
        if self.ca_file is not None and not self.url.tls:
            raise ValueError(".ca_file: has no effect without TLS: write valkeys:// or rediss:// in url")
        if self.previous_key is not None and self.previous_key == self.key:
            raise ValueError(".previous_key_file: the same key as in key_file")
