"""What `serve` reads its settings from, and how it watches that."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from gateway.config.loader import load
from gateway.config.settings import Settings
from gateway.runtime.file_watcher import FileWatcher, WatchedFiles


def read_from(
    config: Path | None, settings: Settings, adapt: Callable[[Settings], Settings] | None = None
) -> WatchedFiles:
    """The files that `settings` were read from, and how they are read again: `adapt` gives those of this process."""

    def read() -> Settings:
        again = load(config, os.environ)
        return again if adapt is None else adapt(again)

    certificates = os.environ.get("SSL_CERT_FILE")
    named = (None if config is None else str(config), certificates)
    files = WatchedFiles(read, *(path for path in named if path))
    files.name(settings)
    return files


async def serve_and_watch(
    serving: Coroutine[Any, Any, None], files: WatchedFiles, reload: Callable[[], None]
) -> None:
    """Serve to the end, and reload whenever the files change."""
    watching = asyncio.create_task(FileWatcher(files, reload).run())
    try:
        await serving
    finally:
        watching.cancel()
