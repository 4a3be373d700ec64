"""What the commands `check`, `lookup`, `list` and `act` do: the operator asks, under no caller's policy."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Final

import httpx
import msgspec

from adapters.contract import Action, Connection, PlatformError, Viewer, ViewerSource, parse_user_id
from adapters.secret import Token
from gateway.filters import Filters, listed_statuses
from gateway.listing import Listing, Place, Source, fill
from gateway.platform import Platform
from gateway.problems import Problem
from gateway.settings import Settings
from gateway.wiring import connect_all

PATIENCE: Final = 4
"""Calls that one question may take one after the other: a login, a read, an action, reading back."""
PAGE: Final = 500


class Finding(msgspec.Struct, frozen=True):
    """What `check` found about one platform, in a clear word and a sentence."""

    platform: str
    mode: str
    good: bool
    text: str


class WrongToken(Exception):
    """A platform wants the viewer's own token and none was given, or it can't be said for which platform it is."""


async def check(settings: Settings) -> list[Finding]:
    """Ask every platform at once whether it answers, and for whom it takes our credential."""
    async with _connected(settings) as platforms:
        return await asyncio.gather(*(_check(platform) for platform in platforms.values()))


async def lookup(settings: Settings, name: str, user_id: int, token: Token | None) -> Connection:
    """Where the viewer stands with `user_id`. Raises PlatformError or WrongToken."""
    async with _connected(settings) as platforms:
        viewer = _viewers(platforms, (name,), token)[name]
        return await platforms[name].lookup(viewer, user_id, _deadline(settings))


async def act(settings: Settings, name: str, user_id: int, action: Action, token: Token | None) -> Connection:
    """The connection after the action. Raises PlatformError, Problem or WrongToken."""
    async with _connected(settings) as platforms:
        platform = platforms[name]
        platform.check_offers(action)
        viewer = _viewers(platforms, (name,), token)[name]
        deadline = _deadline(settings)
        return await platform.act(viewer, user_id, action, deadline=deadline, until=deadline)


def filters(
    settings: Settings, platforms: Collection[str], statuses: Collection[str], user_ids: Collection[str]
) -> Filters:
    """From the words of the command line. Raises ValueError."""
    return Filters(
        platforms=tuple(name for name in settings.platforms if not platforms or name in platforms),
        statuses=listed_statuses(statuses),
        user_ids=tuple(sorted({parse_user_id(text) for text in user_ids})),
    )


async def list_all(
    settings: Settings, filters: Filters, token: Token | None, show: Callable[[Listing], None]
) -> list[str]:
    """Hand each page to `show`; returns what failed, a line for each. Raises WrongToken."""
    failures: list[str] = []
    async with _connected(settings) as platforms:
        viewers = _viewers(platforms, filters.platforms, token)
        sources = [Source(platforms[name], viewers[name]) for name in filters.platforms]
        place: Place | None = None
        while True:
            listing = await fill(sources, filters, place, PAGE, _deadline(settings))
            failures += [f"{_whom(problem)}: {describe(problem)}" for problem in listing.errors]
            show(listing)
            place = listing.next
            if place is None:
                return failures


def describe(error: PlatformError | Problem) -> str:
    """Slug and sentence; for the operator with what the system said about the connection, and when to try again."""
    problem = error if isinstance(error, Problem) else Problem.of(error)
    cause = f" ({problem.__cause__})" if isinstance(problem.__cause__, httpx.ConnectError) else ""
    later = f" (try again in {problem.retry_after} s)" if problem.retry_after else ""
    return f"{problem.kind.slug}: {problem.detail}{cause}{later}"


def _whom(problem: Problem) -> str:
    return str(problem.platform) if problem.user_id is None else f"{problem.platform}/{problem.user_id}"


@contextlib.asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Mapping[str, Platform]]:
    connected = connect_all(settings)
    async with contextlib.aclosing(connected):
        yield connected.platforms


def _viewers(platforms: Mapping[str, Platform], names: Collection[str], token: Token | None) -> Mapping[str, Viewer]:
    """One token is for one platform: it travels to no other."""
    callers = [name for name in names if platforms[name].adapter.viewer_source is ViewerSource.CALLER]
    if callers and token is None:
        raise WrongToken(f"platform {callers[0]} wants the viewer's token: --token-file or GATEWAY_TOKEN")
    if len(callers) > 1:
        raise WrongToken(f"one token can't be for {' and '.join(callers)}: name one platform")
    return {name: Viewer(name, b"operator", token) if name in callers else Viewer.own(name) for name in names}


def _deadline(settings: Settings) -> float:
    return asyncio.get_running_loop().time() + PATIENCE * settings.server.request_timeout


async def _check(platform: Platform) -> Finding:
    name, mode = platform.name, f"{platform.kind}/{platform.adapter.mode}"
    try:
        identity = await platform.adapter.identify()
    except PlatformError as error:
        return Finding(name, mode, good=False, text=describe(error))
    if identity is None:
        text = "ok: it answers; callers bring their own tokens"
    else:
        text = f"ok: it takes us for {identity.username or identity.user_id}"
    return Finding(name, mode, good=True, text=text)
