"""One page of a list over several platforms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import msgspec

from adapters.contract import Connection, InvalidPosition, PlatformError, Position, Viewer
from adapters.secret import RedactedRepr
from adapters.user_ids import UserKey
from gateway.platforms.platform import Platform
from gateway.platforms.platform_page import PageQuery, PlatformPage
from gateway.problems.problem import Problem, as_problem

HEAD_START: Final = 0.25
"""Part of a list's time that its first platform has before the others are asked as well."""
CALLERS_OWN: Final = frozenset({400, 401, 403})
"""Statuses of problems that only the caller can mend."""


class Place(RedactedRepr, msgspec.Struct, frozen=True):
    """Where a list goes on within one platform: from `position` (None: from its start)."""

    platform: str
    position: Position | None


class ListedPlatform(msgspec.Struct, frozen=True):
    """A platform to list, and the viewer to list it as; a Problem where there is no viewer."""

    platform: Platform
    viewer: Viewer | Problem


class Listing(RedactedRepr, msgspec.Struct):
    """A page. It may be short, or empty, while there is a `next`."""

    connections: list[Connection] = msgspec.field(default_factory=list)
    errors: list[Problem] = msgspec.field(default_factory=list)
    next: tuple[Place, ...] = ()
    """the platforms that have more, in their configured order"""
    asked: set[str] = msgspec.field(default_factory=set)
    """the platforms that had their turn"""
    stale: list[PlatformPage] = msgspec.field(default_factory=list)
    """the parts that were read earlier, because their platform can't be asked now"""
    remaining: int = 0
    """how many more there are on the platform where it goes on, as far as that says"""

    def refusal(self) -> Problem | None:
        """The problem that stands for the page where every platform refused the caller; else None."""
        refused = {
            each.platform
            for each in self.errors
            if each.kind.status in CALLERS_OWN and (each.user_id is None or each.kind.status == 401)
        }
        if self.connections or not self.asked or refused != self.asked:
            return None
        return self.errors[0]


async def fill(sources: Sequence[ListedPlatform], start: Sequence[Place], query: PageQuery) -> Listing:
    """The page from `start` on (empty: from the beginning), filled in the order of the platforms.

    The first platform is asked alone, because it often fills the page. Once it has answered and left room, or has
    taken its head start without an answer, all the others are asked at once: one that hangs delays nobody. A platform
    that fails leaves the others alone. Raises InvalidPosition.
    """
    parts = _from(sources, start)
    listing = Listing()
    if not parts:
        return listing
    tasks = [_start(*parts[0], query)]
    head_start = (query.deadline - asyncio.get_running_loop().time()) * HEAD_START
    try:
        await asyncio.wait(tasks, timeout=head_start)
        for index, (source, position) in enumerate(parts):
            rest = [Place(other.platform.name, other_position) for other, other_position in parts[index:]]
            if len(listing.connections) == query.limit:
                listing.next = tuple(rest)
                break
            if len(tasks) == 1 and (index or not tasks[0].done()):
                tasks += [_start(*part, query) for part in parts[1:]]
            more = _add(listing, source, position, await tasks[index], query.limit)
            if more is not None:
                listing.next = (more, *rest[1:])
                break
    finally:
        for task in tasks:
            task.cancel()
    return listing


async def arrivals(
    sources: Sequence[ListedPlatform], start: Sequence[Place], query: PageQuery
) -> AsyncIterator[Listing]:
    """The page from `start` on, filled in the order in which the platforms answer.

    Yields the same listing each time it has grown. All platforms are asked at once. A position that can't be one of a
    platform's own is an error of that platform, since others may have been listed by then.
    """
    parts = _from(sources, start)
    listing = Listing()
    tasks = {_start(*part, query): part for part in parts}
    more: dict[str, Place] = {}
    try:
        while tasks:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in [each for each in tasks if each in done]:
                source, position = tasks.pop(task)
                place = _add(listing, source, position, _result(task, source), query.limit)
                if place is not None:
                    more[place.platform] = place
            listing.next = tuple(more[source.platform.name] for source, _ in parts if source.platform.name in more)
            yield listing
    finally:
        for task in tasks:
            task.cancel()


def _from(sources: Sequence[ListedPlatform], start: Sequence[Place]) -> list[tuple[ListedPlatform, Position | None]]:
    """The sources that have something left to list, each with where it goes on."""
    if not start:
        return [(source, None) for source in sources]
    positions = {place.platform: place.position for place in start}
    return [(each, positions[each.platform.name]) for each in sources if each.platform.name in positions]


def _start(
    source: ListedPlatform, position: Position | None, query: PageQuery
) -> asyncio.Task[PlatformPage | Problem]:
    return asyncio.create_task(_read(source, position, query))


async def _read(source: ListedPlatform, position: Position | None, query: PageQuery) -> PlatformPage | Problem:
    if isinstance(source.viewer, Problem):
        return source.viewer
    return await source.platform.list(source.viewer, position, query)


def _result(task: asyncio.Task[PlatformPage | Problem], source: ListedPlatform) -> PlatformPage | Problem:
    try:
        return task.result()
    except InvalidPosition as error:
        problem = as_problem(error)
        problem.platform = source.platform.name
        return problem


def _add(
    listing: Listing, source: ListedPlatform, position: Position | None, page: PlatformPage | Problem, limit: int
) -> Place | None:
    """Add what a platform has, which began at `position`. Returns where it goes on, if it does."""
    name = source.platform.name
    listing.asked.add(name)
    if isinstance(page, Problem):
        listing.errors.append(page)
        return None
    failed: dict[PlatformError, list[UserKey | None]] = {}
    more: Place | None = None
    reached = position
    for entry in page.entries:
        if isinstance(entry.found, PlatformError):
            failed.setdefault(entry.found, []).append(entry.user_id)
        elif len(listing.connections) < limit:
            listing.connections.append(entry.found)
        else:
            more = Place(name, reached)
            break
        reached = entry.position
    listing.errors += _told(failed)
    if page.stale_since is not None:
        listing.stale.append(page)
    if more is None and page.error is not None:
        listing.errors.append(Problem.of(page.error))
    if more is None and page.next is not None and (page.error is None or page.stale_since is not None):
        more = Place(name, page.next)
    listing.remaining = page.remaining
    return more


def _told(failed: Mapping[PlatformError, Sequence[UserKey | None]]) -> list[Problem]:
    """What failed for one user names that user; what failed for many or for nobody, however often, is told once."""
    alone = [Problem.of(error, users[0]) for error, users in failed.items() if _names_one(users)]
    together = {(type(error), error.detail): error for error, users in failed.items() if not _names_one(users)}
    return [Problem.of(error) for error in together.values()] + alone


def _names_one(users: Sequence[UserKey | None]) -> bool:
    return len(users) == 1 and users[0] is not None
