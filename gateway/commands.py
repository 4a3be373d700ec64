"""What the commands `check` and `lookup` do: the operator asks, under no caller's policy."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import msgspec

from adapters import adapter_name
from adapters.contract import Adapter, Connection, PlatformError, Viewer, ViewerSource
from adapters.secret import Token
from gateway.problems import Problem
from gateway.settings import Settings
from gateway.wiring import connect_all


class Finding(msgspec.Struct, frozen=True):
    """What `check` found about one platform, in a clear word and a sentence."""

    platform: str
    mode: str
    good: bool
    text: str


class MissingToken(Exception):
    """The platform wants the viewer's own token, and none was given."""


async def check(settings: Settings) -> list[Finding]:
    """Ask every platform at once whether it answers, and for whom it takes our credential."""
    connected = connect_all(settings)
    async with contextlib.aclosing(connected):
        modes = {name: f"{adapter_name(each)}/{each.mode}" for name, each in settings.platforms.items()}
        return await asyncio.gather(*(_check(connected.adapters[name], mode) for name, mode in modes.items()))


async def lookup(settings: Settings, platform: str, user_id: int, token: Token | None) -> Connection:
    """Where the viewer stands with `user_id`. Raises PlatformError or MissingToken."""
    connected = connect_all(settings)
    async with contextlib.aclosing(connected):
        adapter = connected.adapters[platform]
        found = (await adapter.read(_viewer(adapter, token), (user_id,)))[user_id]
        if isinstance(found, PlatformError):
            raise found
        return found


def _viewer(adapter: Adapter, token: Token | None) -> Viewer:
    if adapter.viewer_source is ViewerSource.OWN:
        return Viewer.own(adapter.platform)
    if token is None:
        raise MissingToken
    return Viewer(adapter.platform, b"operator", token)


async def _check(adapter: Adapter, mode: str) -> Finding:
    try:
        identity = await adapter.identify()
    except PlatformError as error:
        return Finding(adapter.platform, mode, good=False, text=describe(error))
    if identity is None:
        text = "ok: it answers; callers bring their own tokens"
    else:
        text = f"ok: it takes us for {identity.username or identity.user_id}"
    return Finding(adapter.platform, mode, good=True, text=text)


def describe(error: PlatformError) -> str:
    """Slug and sentence; for the operator with what the system said about the connection, and when to try again."""
    cause = f" ({error.__cause__})" if isinstance(error.__cause__, httpx.ConnectError) else ""
    later = f" (try again in {error.retry_after:g} s)" if error.retry_after else ""
    return f"{Problem.of(error).kind.slug}: {error.detail}{cause}{later}"
