"""The ways in which bytes may be cut into reads on their way."""

from __future__ import annotations

import random
from collections.abc import Iterator

SHORT = 150
"""Bytes of what is cut at every place."""
LONG = 6000
"""Bytes of what is no longer sent byte by byte, but in steps of a prime number of them."""
BYTEWISE = 1000
"""The same where a byte is a system call."""
STEP = 997
BOUNDARIES = b"\r\n:;"
"""Bytes around which the structure of a request changes."""
SAMPLE = 12
"""Other cuts of what is longer."""
MOST_BOUNDARIES = 80


def all_cuts(sent: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Each a name, and the pieces."""
    yield from _whole_and_bytewise(sent, LONG)
    for at in range(1, len(sent)) if len(sent) <= SHORT else structural(sent):
        yield f"cut at {at}", [sent[:at], sent[at:]]


def some_cuts(sent: bytes, how_many: int) -> Iterator[tuple[str, list[bytes]]]:
    """A sample of those, always the same for the same bytes."""
    yield from _whole_and_bytewise(sent, BYTEWISE)
    places = structural(sent)
    for at in sorted(_lot(sent).sample(places, min(how_many, len(places)))):
        yield f"cut at {at}", [sent[:at], sent[at:]]


def structural(sent: bytes) -> list[int]:
    """Places before and behind what separates lines, names and extensions, and a few others."""
    lot = _lot(sent)
    around = {at + step for at, byte in enumerate(sent) if byte in BOUNDARIES for step in (0, 1)}
    places = sorted(at for at in around if 0 < at < len(sent))
    if len(places) > MOST_BOUNDARIES:
        ends = places[: MOST_BOUNDARIES // 4] + places[-MOST_BOUNDARIES // 4 :]
        places = ends + lot.sample(places, MOST_BOUNDARIES // 2)
    others = [lot.randrange(1, len(sent)) for _ in range(SAMPLE)] if len(sent) > 1 else []
    return sorted({*places, *others})


def _whole_and_bytewise(sent: bytes, at_most: int) -> Iterator[tuple[str, list[bytes]]]:
    yield "one piece", [sent]
    step = 1 if len(sent) <= at_most else STEP
    yield f"every {step}", [sent[at : at + step] for at in range(0, len(sent), step)]


def _lot(sent: bytes) -> random.Random:
    return random.Random(sent)  # noqa: S311  it draws examples
