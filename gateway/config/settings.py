"""The settings that a configuration is converted to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Final, Literal, Self

import msgspec

from adapters.secret import Secret
from adapters.settings import PlatformSettings, Seconds, ViewerSource
from gateway.config.caller_settings import CallerSettings
from gateway.config.listen_address import ListenAddress
from gateway.config.origin import Origin
from gateway.config.printable import printable
from gateway.config.shared_settings import SharedSettings

LONGEST_LINE: Final = 1000
"""Characters of what is said to be wrong: names that are quoted may have any length."""


class ConfigurationError(Exception):
    """The start stops here. The text is one line that names the key with its table, and that a terminal can show."""

    def __init__(self, text: str) -> None:
        line = printable(" ".join(text.split()))
        super().__init__(line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…")


class HashKey(Secret):
    """The key of the hashes of users in the log. There are so few user ids that a short key is found by trying."""

    SHORTEST: ClassVar = 16

    __slots__ = ()

    def __init__(self, text: str) -> None:
        """Raise ValueError where `text` is too short."""
        super().__init__(text)
        if len(text) < self.SHORTEST:
            raise ValueError(f"expected at least {self.SHORTEST} characters")


class HostName(str):
    """A name or address that the gateway answers to, as a `Host` header has it but without a port; in lower case."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raise ValueError where `text` is neither."""
        name = text.lower()
        if not re.fullmatch(r"[a-z0-9._-]+", name) and _address(name) is None:
            raise ValueError("expected a name or an address, without a port")
        return super().__new__(cls, name)


class SocketPath(str):
    """Where a Unix socket is to be: the kernel takes at most 107 bytes."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raise ValueError where `text` can be no such path."""
        if not 1 <= len(text.encode("utf-8", "surrogateescape")) <= 107 or "\0" in text:
            raise ValueError("expected a path of 1 to 107 bytes")
        return super().__new__(cls, text)


class SocketMode(int):
    """The permissions of a file, written in octal digits."""

    def __new__(cls, text: str) -> Self:
        """Raise ValueError where `text` is no such number."""
        if not re.fullmatch(r"0?[0-7]{3}", text):
            raise ValueError('expected octal digits in quotes, such as "0660"')
        return super().__new__(cls, text, 8)


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[server]`. Times are in seconds."""

    host: Annotated[str, msgspec.Meta(pattern=r"^[!-~]+\Z")] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8080
    socket: SocketPath | None = None
    """listened on instead of `host` and `port`"""
    socket_mode: SocketMode = SocketMode("0660")
    admin: ListenAddress | None = None
    """where probes and `/metrics` are served, and nothing else; `/metrics` is then served nowhere else"""
    hosts: tuple[HostName, ...] = ()
    cors_origins: tuple[Origin, ...] = ()
    request_timeout: Annotated[float, msgspec.Meta(gt=0, le=300)] = 2.0
    max_concurrency: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 2000
    """requests in work at once"""
    header_timeout: Annotated[float, msgspec.Meta(gt=0, le=300)] = 10.0
    """for receiving a head, a body, and for a caller to read its answer"""
    keep_alive_timeout: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 75.0
    """for an idle connection that a response has been sent on"""
    max_header_bytes: Annotated[int, msgspec.Meta(ge=1024, le=1_048_576)] = 65_536
    drain_delay: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0
    """between the signal to stop and the listener's closing"""
    drain_timeout: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 10.0
    reload: Literal["signal", "watch"] = "signal"
    """what a reload begins with: SIGHUP alone, or also a change of a file"""
    log: Literal["requests", "problems", "off"] = "requests"
    """which requests have a line in the log"""
    allow_anonymous: bool = False
    mcp: bool = False
    """whether `/mcp` is served"""
    console: bool = False
    """whether `/console` is served"""
    traces: bool = False
    """needs the extra `otel`"""
    hash_key: HashKey | None = None
    hash_key_file: str | None = None


class CacheSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[cache]`. Times are in seconds; a platform's own table may have others."""

    fresh_for: Seconds = 5.0
    stale_for: Seconds = 60.0
    max_entries: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 100_000


class WatchSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[watch]`."""

    max_streams: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 1000
    """open at once; 0: none"""
    interval: Annotated[float, msgspec.Meta(ge=0.1, le=3600)] = 10.0
    """seconds after which a watched viewer's connections are read again"""


class ConfigurationWarning(msgspec.Struct, frozen=True):
    """What the operator should know, though it stops nothing: of which key or variable, a word, and a sentence."""

    setting: str
    word: str
    text: str

    @property
    def logged(self) -> tuple[str, str]:
        return self.setting, self.word


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The whole configuration. Parts that don't go together can't be made into one: ConfigurationError."""

    server: ServerSettings
    platforms: Mapping[str, PlatformSettings]
    cache: CacheSettings = CacheSettings()
    watch: WatchSettings = WatchSettings()
    callers: tuple[CallerSettings, ...] = ()
    shared: SharedSettings | None = None
    warnings: tuple[ConfigurationWarning, ...] = ()

    def __post_init__(self) -> None:
        if not self.platforms:
            raise ConfigurationError("platforms: at least one [platforms.NAME] is needed")
        self._check_callers_differ()
        self._check_files_differ()
        if not self.callers:
            self._check_that_it_may_be_open()

    def _check_callers_differ(self) -> None:
        values: dict[str, list[tuple[str, ...]]] = {
            "name": [(each.name,) for each in self.callers],
            "key_sha256": [each.digests for each in self.callers],
            "jwt_issuer": [() if each.jwt_issuer is None else (each.jwt_issuer,) for each in self.callers],
        }
        for key, of_each in values.items():
            place = _place_of_repetition(of_each)
            if place is not None:
                raise ConfigurationError(f"callers[{place}].{key}: another caller has it as well")

    def _check_files_differ(self) -> None:
        seen: dict[str, str] = {}
        for name, platform in self.platforms.items():
            file = platform.credentials.sole_file
            if file is not None and seen.setdefault(file, name) != name:
                raise ConfigurationError(f"platforms.{name}.credentials: platforms.{seen[file]} has the same file")

    def _check_that_it_may_be_open(self) -> None:
        """Without callers' keys, whoever reaches the gateway has what it holds."""
        sources = {name: platform.credentials.viewer_source for name, platform in self.platforms.items()}
        for name, source in sources.items():
            if source is ViewerSource.NAMED:
                raise ConfigurationError(
                    f"platforms.{name}.credentials: mode {self.platforms[name].mode} can speak for any user there, so"
                    " it needs [[callers]], and what each of them may"
                )
        ours = next((name for name, source in sources.items() if source is not ViewerSource.CALLER), None)
        is_local = self.server.socket is not None or is_loopback(self.server.host)
        if ours and not is_local and not self.server.allow_anonymous:
            raise ConfigurationError(
                f"server.host: {self.server.host} is reachable from outside, and anybody there could use the"
                f" credential of platforms.{ours}: configure [[callers]], listen on loopback, or set"
                " server.allow_anonymous = true"
            )


def _place_of_repetition(values: Iterable[tuple[str, ...]]) -> int | None:
    seen: set[str] = set()
    for place, some in enumerate(values):
        if len(seen) + len(some) != len(seen := seen | set(some)):
            return place
    return None


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
