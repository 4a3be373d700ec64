"""One page over several platforms, filled in the order in which they are configured."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from adapters.contract import Connection, PlatformError, Position, Viewer
from adapters.secret import Quiet
from gateway.filters import Filters
from gateway.platform import Platform
from gateway.problems import Problem
from gateway.stretch import Stretch

HEAD_START: Final = 0.25
"""Part of a list's time that its first platform has before the others are asked as well."""


class Place(Quiet, msgspec.Struct, frozen=True):
    """Where a list goes on: on this platform, from `position` (None: from its start)."""

    platform: str
    position: Position | None


class Source(msgspec.Struct, frozen=True):
    """A platform that a list is asked for, and as whom; a Problem where nobody can be asked."""

    platform: Platform
    viewer: Viewer | Problem


class Listing(Quiet, msgspec.Struct):
    """A page: it may be short, or empty, while there is a `next`."""

    connections: list[Connection] = msgspec.field(default_factory=list)
    errors: list[Problem] = msgspec.field(default_factory=list)
    next: Place | None = None
    asked: set[str] = msgspec.field(default_factory=set)
    """the platforms that had their turn"""
    remaining: int = 0
    """how many more there are on the platform where it goes on, as far as that says"""


async def fill(
    sources: Sequence[Source], filters: Filters, start: Place | None, limit: int, deadline: float
) -> Listing:
    """The page from `start` on, by `deadline` (`loop.time()`). A platform that fails leaves the others alone.

    The first platform is asked alone, because it often fills the page. Once it has answered and left room, or has
    taken its head start without an answer, all the others are asked at once: one that hangs delays nobody.
    """
    position: Position | None = None
    if start is not None:
        names = [source.platform.name for source in sources]
        sources, position = sources[names.index(start.platform) :], start.position
    listing = Listing()
    if not sources:
        return listing
    tasks = [asyncio.create_task(_stretch(sources[0], filters, position, limit, deadline))]
    head_start = (deadline - asyncio.get_running_loop().time()) * HEAD_START
    try:
        await asyncio.wait(tasks, timeout=head_start)
        for place, source in enumerate(sources):
            if len(listing.connections) == limit:
                listing.next = Place(source.platform.name, None)
                break
            if len(tasks) == 1 and (place or not tasks[0].done()):
                tasks += [
                    asyncio.create_task(_stretch(other, filters, None, limit, deadline)) for other in sources[1:]
                ]
            listing.asked.add(source.platform.name)
            if _put(listing, source, await tasks[place], limit):
                break
    finally:
        for task in tasks:
            task.cancel()
    return listing


async def _stretch(
    source: Source, filters: Filters, position: Position | None, limit: int, deadline: float
) -> Stretch | Problem:
    if isinstance(source.viewer, Problem):
        return source.viewer
    return await source.platform.stretch(source.viewer, filters, position, limit, deadline)


def _put(listing: Listing, source: Source, stretch: Stretch | Problem, limit: int) -> bool:
    """Put what a platform has onto the page. True where the list goes on within that platform."""
    if isinstance(stretch, Problem):
        listing.errors.append(stretch)
        return False
    name = source.platform.name
    failed: dict[PlatformError, list[int | None]] = {}
    reached: Position | None = None
    for entry in stretch.entries:
        if isinstance(entry.found, PlatformError):
            failed.setdefault(entry.found, []).append(entry.user_id)
        elif len(listing.connections) < limit:
            listing.connections.append(entry.found)
        else:
            listing.next = Place(name, reached)
            break
        reached = entry.position
    listing.errors += _told(failed)
    if listing.next is None and stretch.error is not None:
        listing.errors.append(Problem.of(stretch.error))
    elif listing.next is None and stretch.next is not None:
        listing.next = Place(name, stretch.next)
    listing.remaining = stretch.remaining
    return listing.next is not None


def _told(failed: Mapping[PlatformError, Sequence[int | None]]) -> list[Problem]:
    """What failed for one user names that user; what failed for many or for nobody, however often, is told once."""
    alone = [Problem.of(error, users[0]) for error, users in failed.items() if _names_one(users)]
    together = {(type(error), error.detail): error for error, users in failed.items() if not _names_one(users)}
    return [Problem.of(error) for error in together.values()] + alone


def _names_one(users: Sequence[int | None]) -> bool:
    return len(users) == 1 and users[0] is not None
