"""The ways in which bytes may be cut into segments on their way."""

from __future__ import annotations

import random
from collections.abc import Iterator

SHORT = 100
"""Bytes of what is cut everywhere."""
SAMPLE = 6
"""Cuts of what is longer, beside those around its lines."""


def cuts(sent: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Each a name, and the pieces."""
    yield "one piece", [sent]
    step = 1 if len(sent) <= 2000 else 997
    yield f"every {step}", [sent[at : at + step] for at in range(0, len(sent), step)]
    for at in places(sent):
        yield f"cut at {at}", [sent[:at], sent[at:]]


def places(sent: bytes) -> list[int]:
    """Where to cut in two: everywhere, or around a few line ends and anywhere else, always the same for the same."""
    if len(sent) <= SHORT:
        return list(range(1, len(sent)))
    lot = random.Random(sent)  # noqa: S311  it draws examples
    ends = [at for at in range(1, len(sent)) if sent[at - 1 : at] in {b"\r", b"\n"}]
    drawn = [*lot.sample(ends, min(SAMPLE, len(ends))), *(lot.randrange(1, len(sent)) for _ in range(SAMPLE))]
    blank = sent.find(b"\r\n\r\n")
    around = [blank + step for step in range(5)] if blank >= 0 else []
    return sorted({at for at in (*drawn, *around) if 0 < at < len(sent)})
