"""What the commands `check`, `lookup`, `list` and `act` do: the operator asks, under no caller's policy."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Final

import httpx
import msgspec

from adapters import user_ids as grammar_of
from adapters.contract import Action, Connection, PlatformError
from adapters.settings import ViewerSource
from adapters.user_ids import UserKey, parse_for
from gateway.cli.output import say
from gateway.cli.viewer import ViewerOptions, viewers
from gateway.config.printable import shortened
from gateway.config.settings import Settings
from gateway.config.shared_settings import SharedSettings
from gateway.platforms.filters import Filters, listed_statuses
from gateway.platforms.listing import ListedPlatform, Listing, Place, fill
from gateway.platforms.platform import Platform
from gateway.platforms.platform_page import PageQuery
from gateway.platforms.registry import PlatformRegistry
from gateway.platforms.replicas import ALONE, Replicas
from gateway.problems.problem import Problem, as_problem
from gateway.telemetry.metrics import Metrics

CALLS_IN_A_ROW: Final = 4
"""Calls that one question may take one after the other: a login, a read, an action, reading back."""
PAGE: Final = 500
NOT_TRIED: Final[Mapping[ViewerSource, str]] = {
    ViewerSource.CALLER: "callers bring their own tokens",
    ViewerSource.NAMED: "our credential shows only with a viewer: try a lookup with --on-behalf-of",
    ViewerSource.OWN: "our credential was not tried, because that would use up a refresh token for good",
}
"""Why `check` does not say for whom a platform takes us."""


class Finding(msgspec.Struct, frozen=True):
    """What `check` found about one platform, in a clear word and a sentence."""

    platform: str
    mode: str
    good: bool
    text: str


async def check(settings: Settings) -> list[Finding]:
    """Ask every platform at once whether it answers, and for whom it takes our credential; then the store."""
    async with _connected(settings) as platforms:
        findings = await asyncio.gather(*(_check(platform) for platform in platforms.values()))
    return findings if settings.shared is None else [*findings, await _check_store(settings.shared)]


async def lookup(settings: Settings, name: str, user_id: UserKey, seen_as: ViewerOptions) -> bytes:
    """Where the viewer stands with `user_id`, as JSON. Raises PlatformError or WrongViewer."""
    async with _connected(settings) as platforms:
        viewer = viewers(settings, platforms, (name,), seen_as)[name]
        return (await platforms[name].lookups.one(viewer, user_id, _deadline(settings))).body


async def act(settings: Settings, name: str, user_id: UserKey, action: Action, seen_as: ViewerOptions) -> Connection:
    """The connection after the action. Raises PlatformError, Problem or WrongViewer."""
    async with _connected(settings) as platforms:
        platform = platforms[name]
        platform.check_offers(action)
        viewer = viewers(settings, platforms, (name,), seen_as)[name]
        deadline = _deadline(settings)
        return await platform.act(viewer, user_id, action, deadline=deadline, until=deadline, late=_unheard)


def filters(
    settings: Settings, platforms: Collection[str], statuses: Collection[str], user_ids: Collection[str]
) -> Filters:
    """From the words of the command line. Raises ValueError."""
    asked = {name: each for name, each in settings.platforms.items() if not platforms or name in platforms}
    grammars = {name: grammar_of(each) for name, each in asked.items()}
    named = parse_for(grammars, set(user_ids)) if user_ids else {}
    return Filters(platforms=tuple(asked), statuses=listed_statuses(statuses), user_ids=named)


async def list_all(
    settings: Settings, filters: Filters, seen_as: ViewerOptions, show: Callable[[Listing], None]
) -> list[str]:
    """Hand each page to `show`; returns what failed, a line for each. Raises WrongViewer."""
    failures: list[str] = []
    async with _connected(settings) as platforms:
        seen = viewers(settings, platforms, filters.platforms, seen_as)
        sources = [ListedPlatform(platforms[name], seen[name]) for name in filters.platforms]
        start: tuple[Place, ...] = ()
        while True:
            listing = await fill(sources, start, PageQuery(filters, PAGE, _deadline(settings)))
            failures += [f"{_whom(problem)}: {describe(problem)}" for problem in listing.errors]
            show(listing)
            start = listing.next
            if not start:
                return failures


def describe(error: PlatformError | Problem) -> str:
    """Slug and sentence; for the operator with what the system said about the connection, and when to try again."""
    problem = as_problem(error)
    cause = f" ({problem.__cause__})" if isinstance(problem.__cause__, httpx.ConnectError) else ""
    later = f" (try again in {problem.retry_after} s)" if problem.retry_after else ""
    return f"{problem.kind.slug}: {problem.detail}{cause}{later}"


def _whom(problem: Problem) -> str:
    return str(problem.platform) if problem.user_id is None else f"{problem.platform}/{problem.user_id}"


@contextlib.asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Mapping[str, Platform]]:
    metrics = Metrics()
    async with contextlib.AsyncExitStack() as stack:
        replicas = ALONE if settings.shared is None else await stack.enter_async_context(_replicas(settings, metrics))
        registry = PlatformRegistry(settings, warn=_warn, metrics=metrics, replicas=replicas)
        await stack.enter_async_context(contextlib.aclosing(registry))
        yield registry.platforms


@contextlib.asynccontextmanager
async def _replicas(settings: Settings, metrics: Metrics) -> AsyncIterator[Replicas]:
    """The running gateways, which share sessions and refresh tokens with a command, and hear of its actions."""
    from gateway.app import shared_of
    from gateway.telemetry.log import Log

    shared = shared_of(settings, Log(lambda _line: None), metrics)
    async with contextlib.aclosing(shared):
        await shared.store.connect()
        yield shared


def _warn(word: str, platform: str) -> None:
    say(f"warning: platforms.{platform}: {word}")


def _unheard(_outcome: str) -> None:
    """How an action ended that the operator did not wait for: the command has said all that it will say."""


def _deadline(settings: Settings) -> float:
    return asyncio.get_running_loop().time() + CALLS_IN_A_ROW * settings.server.request_timeout


async def _check_store(settings: SharedSettings) -> Finding:
    try:
        from gateway.shared.check import try_once
    except ImportError as error:
        return _of_the_store(settings, f"{error.name} is missing: install connection-gateway[shared]")
    return _of_the_store(settings, await try_once(settings))


def _of_the_store(settings: SharedSettings, wrong: str | None) -> Finding:
    text = "ok: it can be used" if wrong is None else f"{wrong}; each replica is by itself"
    return Finding("shared", settings.url.scheme, good=wrong is None, text=text)


async def _check(platform: Platform) -> Finding:
    name, mode = platform.name, f"{platform.kind}/{platform.adapter.mode}"
    try:
        identity = await platform.adapter.identify()
    except PlatformError as error:
        return Finding(name, mode, good=False, text=describe(error))
    if identity is None:
        text = f"ok: it answers; {NOT_TRIED[platform.adapter.viewer_source]}"
    elif platform.adapter.viewer_source is ViewerSource.NAMED:
        text = f"ok: it takes us for {shortened(identity.name)}; callers name the viewer"
    else:
        text = f"ok: it takes us for {shortened(identity.name)}"
    return Finding(name, mode, good=True, text=text)
