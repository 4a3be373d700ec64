"""Converts decoded TOML to settings, or raises ConfigurationError with one line that names the key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from adapters import ADAPTERS, adapter_name, user_ids
from adapters.settings import PlatformName, PlatformSettings
from adapters.user_ids import parse_for
from gateway.config.caller_settings import CallerSettings
from gateway.config.error_messages import one_line
from gateway.config.settings import (
    CacheSettings,
    ConfigurationError,
    ConfigurationWarning,
    ServerSettings,
    Settings,
    WatchSettings,
)
from gateway.config.shared_settings import SharedSettings
from gateway.config.warnings import configuration_warnings

T = TypeVar("T")
Tables = dict[str, Any]
TABLES: Final = ("server", "cache", "watch", "shared", "platforms", "callers")


def from_tables(tables: Tables, warned: Iterable[ConfigurationWarning] = ()) -> Settings:
    """Settings from decoded TOML in which secrets stand in the open. Raises ConfigurationError."""
    for table in tables.keys() - set(TABLES):
        raise ConfigurationError(f"{table}: unknown table")
    server = _convert("server", tables.get("server", {}), ServerSettings)
    cache = _convert("cache", tables.get("cache", {}), CacheSettings)
    watch = _convert("watch", tables.get("watch", {}), WatchSettings)
    shared = _convert("shared", tables["shared"], SharedSettings) if "shared" in tables else None
    platforms = {
        name: platform_settings(name, table)
        for name, table in _convert("platforms", tables.get("platforms", {}), Tables).items()
    }
    if isinstance(tables.get("callers"), dict):
        raise ConfigurationError("callers: expected a list of tables: write [[callers]], with two brackets")
    callers = _convert("callers", tables.get("callers", []), tuple[CallerSettings, ...])
    _check_references(callers, platforms)
    warnings = (*warned, *configuration_warnings(callers, platforms))
    return Settings(
        server=server,
        cache=cache,
        watch=watch,
        platforms=platforms,
        callers=callers,
        shared=shared,
        warnings=warnings,
    )


def _check_references(callers: Iterable[CallerSettings], platforms: Mapping[str, PlatformSettings]) -> None:
    expected = f"expected one of {', '.join(platforms)}"
    for place, caller in enumerate(callers):
        for number, name in enumerate(caller.platforms or ()):
            if name not in platforms:
                raise ConfigurationError(f"callers[{place}].platforms[{number}]: {expected}")
        for number, grant in enumerate(caller.on_behalf_of):
            if grant.platform is not None and grant.platform not in platforms:
                raise ConfigurationError(f"callers[{place}].on_behalf_of[{number}]: of the platform {expected}")
            asked = platforms if grant.platform is None else {grant.platform: platforms[grant.platform]}
            try:
                parse_for({name: user_ids(each) for name, each in asked.items()}, grant.user_ids)
            except ValueError as error:
                raise ConfigurationError(f"callers[{place}].on_behalf_of[{number}]: {error}") from None


def platform_settings(
    name: str, value: object, adapters: Iterable[type[PlatformSettings]] = ADAPTERS
) -> PlatformSettings:
    """The table of one platform, for one of these adapters. Raises ConfigurationError."""
    where = f"platforms.{name}"
    table = _convert(where, value, Tables)
    try:
        msgspec.convert(name, PlatformName)
    except msgspec.ValidationError:
        raise ConfigurationError(f"{where}: expected a name of 1 to 32 of a-z, 0-9 and -, a letter first") from None
    kinds = {adapter_name(kind): kind for kind in adapters}
    kind = kinds.get(str(table.get("adapter")))
    if kind is None:
        raise ConfigurationError(f"{where}.adapter: expected one of {', '.join(kinds)}")
    return _convert(where, table, kind)


def _convert(where: str, value: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind, dec_hook=_text_type)
    except msgspec.ValidationError as error:
        raise ConfigurationError(one_line(where, str(error), kind, value)) from None


def _text_type(kind: type[T], value: object) -> T:
    """Our own types of text: their constructors check, and raise ValueError."""
    if not isinstance(value, str):
        raise TypeError("expected text")
    return kind(value)  # type: ignore[call-arg]
