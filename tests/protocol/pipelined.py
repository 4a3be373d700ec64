"""Every request of the corpus on a connection of its own, and as the second of a connection."""

from __future__ import annotations

from collections.abc import Iterator

from tests.protocol.corpus import KEY, PROBE, USERS, Case, cases, chunked
from tests.protocol.framings import framings

FIRST = (
    ("a probe", PROBE),
    ("chunks and a trailer", chunked(USERS, trailers=KEY)),
)


def alone() -> Iterator[Case]:
    yield from cases()
    yield from framings()


def second() -> Iterator[Case]:
    """Each behind a well-formed one, of which there are two kinds that take turns."""
    for number, case in enumerate(alone()):
        name, before = FIRST[number % len(FIRST)]
        statuses = None if case.statuses is None else (200, *case.statuses)
        yield Case(f"behind {name}: {case.name}", before + case.sent, statuses, before=1)
