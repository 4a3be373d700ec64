"""Divides the figures of the configuration among workers, so that they hold for all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import structs

from gateway.config.settings import ConfigurationError, Settings

T = TypeVar("T", bound=msgspec.Struct)
SERVER: Final = ("max_concurrency",)
PLATFORM: Final = ("max_calls", "max_waiting")
CACHE: Final = ("max_entries",)
WATCH: Final = ("max_streams",)


def share(settings: Settings, number: int, workers: int) -> Settings:
    """The settings of worker `number` (from 1) of so many.

    Raises ConfigurationError for what can't be divided: a figure that is smaller than the number of workers, or a
    credential that only one process can use.
    """
    for name, platform in settings.platforms.items():
        is_sole = platform.credentials.is_good_once or platform.credentials.sole_file is not None
        if is_sole and settings.shared is None:
            raise ConfigurationError(
                f"platforms.{name}.credentials: a refresh token is replaced while it is in use, so only one process"
                " can have it: serve with --workers 1, or configure [shared]"
            )
    return structs.replace(
        settings,
        server=_part("server", settings.server, SERVER, number, workers),
        cache=_part("cache", settings.cache, CACHE, number, workers),
        watch=_part("watch", settings.watch, WATCH, number, workers),
        platforms={
            name: _part(f"platforms.{name}", platform, PLATFORM, number, workers)
            for name, platform in settings.platforms.items()
        },
    )


def _part(table: str, whole: T, keys: tuple[str, ...], number: int, workers: int) -> T:
    figures: Mapping[str, Any] = {key: getattr(whole, key) for key in keys}
    parts: dict[str, int] = {}
    for key, figure in figures.items():
        if not figure:  # None is derived from a figure that is divided; 0 allows nothing
            continue
        if figure < workers:
            raise ConfigurationError(f"{table}.{key}: {figure} can't be divided among {workers} workers")
        parts[key] = figure // workers + (number <= figure % workers)
    return structs.replace(whole, **parts)
