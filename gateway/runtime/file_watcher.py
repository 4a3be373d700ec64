"""Watches the files of the configuration, where nobody sends SIGHUP: Kubernetes replaces mounted files silently.

Files are looked at, not subscribed to: Kubernetes swaps a symbolic link some folders above, and not every file system
reports changes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from adapters.daemon_thread import DaemonThread
from gateway.config.public_keys import PublicKeyFile
from gateway.config.settings import ConfigurationError, Settings

PERIOD: Final = 2.0
"""Seconds between two looks. A change is in force after two of them."""
TRIES: Final = 3
"""Times that files are read which change meanwhile."""
State = Mapping[str, tuple[object, ...]]
"""What each file was when it was looked at."""


class WatchedFiles:
    """The files that the configuration was last read from."""

    def __init__(self, load: Callable[[], Settings], *more: str) -> None:
        """`more` are files that are watched whatever the settings say."""
        self._load = load
        self._more = more
        self._paths: frozenset[str] = frozenset(more)
        self.as_read: State = {}
        """what they were when they were last read"""

    @property
    def paths(self) -> frozenset[str]:
        """The files that are watched."""
        return self._paths

    def name(self, settings: Settings) -> None:
        """Watch what these settings have just been read from."""
        self._paths = frozenset((*self._more, *_paths_in(settings)))
        self.as_read = self.look()

    def read(self) -> Settings:
        """Load the settings from files that did not change meanwhile, so that none is older than another.

        Raises ConfigurationError.
        """
        for _ in range(TRIES):
            before = self.look()
            settings = self._load()
            self.name(settings)
            if self.as_read == before:
                return settings
        raise ConfigurationError("its files change while they are read")

    def look(self) -> State:
        """What the files are now: where links lead, and size and time there."""
        return {path: _identity(path) for path in self._paths}


class FileWatcher:
    """Calls `on_change` once files have changed and have then been the same for one period."""

    def __init__(self, files: WatchedFiles, on_change: Callable[[], None]) -> None:
        self._files = files
        self._on_change = on_change
        self._thread = DaemonThread()

    async def run(self) -> None:
        """Run until cancelled. Files that hang delay only the next look."""
        loop = asyncio.get_running_loop()
        handled = seen = self._files.as_read
        while True:
            await asyncio.sleep(PERIOD)
            now = await loop.run_in_executor(self._thread, self._files.look)
            if now == seen:
                known = {**self._files.as_read, **handled}
                if any(known[path] != identity for path, identity in now.items()):
                    self._on_change()
                handled = now
            seen = now


def _identity(path: str) -> tuple[object, ...]:
    try:
        found = os.stat(path)  # noqa: PTH116  a Path would do the same with more objects
    except OSError as error:
        return (error.errno,)
    return os.path.realpath(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _paths_in(settings: Settings) -> Iterator[str]:
    """Every file that the settings name, except those that the gateway itself replaces."""
    yield from _files_of(settings.server)
    for caller in settings.callers:
        yield from _files_of(caller)
    for platform in settings.platforms.values():
        yield from _files_of(platform)
        own = platform.credentials.sole_file
        yield from (path for path in _files_of(platform.credentials) if os.path.realpath(path) != own)


def _files_of(table: msgspec.Struct) -> Iterator[str]:
    for key in table.__struct_fields__:
        value = getattr(table, key)
        if isinstance(value, PublicKeyFile):
            yield value.path
        elif key.endswith("_file") and value is not None:
            yield str(value)
