"""The promises of docs/performance.md: what each compares, and how much is wanted."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.scenarios import Instrumented
from benchmarks.servers import BARE, CACHED, FASTAPI, FASTIFY, GATEWAY

Found = Mapping[str, Mapping[str, list[Instrumented]]]
"""By scenario and server."""


class Figure(NamedTuple):
    text: str
    found: str
    wanted: str
    holds: bool


def figures(found: Found) -> list[Figure]:
    """Those for which all that they compare was measured."""
    told = [
        _times_less(found, "distinct", "one viewer, every lookup another user", FASTAPI, 15),
        _times(found, "distinct", "cpu", "CPU per lookup, one viewer", (GATEWAY, FASTIFY), wanted=1.5),
        _times_less(found, "viewers", "every lookup another viewer", FASTAPI, 4),
        _times(found, "cached", "cpu", "CPU per cached lookup", (CACHED, BARE), wanted=1.25),
        _times(found, "lone", "p50", "a lone lookup, median", (GATEWAY, FASTIFY), wanted=3),
    ]
    return [each for each in told if each is not None]


def _ratio(found: Found, scenario: str, what: str, above: str, below: str) -> float | None:
    """The median of the ratios in each round: what slows the machine down for a while slows both."""
    rows = found.get(scenario, {})
    if above not in rows or below not in rows:
        return None
    pairs = zip(rows[above], rows[below], strict=True)
    ratios: list[float] = [getattr(one, what) / getattr(other, what) for one, other in pairs]
    return statistics.median(ratios)


def _times_less(found: Found, scenario: str, who: str, other: str, wanted: float) -> Figure | None:
    ratio = _ratio(found, scenario, "cpu", other, GATEWAY)
    if ratio is None:
        return None
    text = f"CPU per lookup, {who}, against {other}"
    return Figure(text, f"{ratio:.1f} times less", f"at least {wanted:g} times less", ratio >= wanted)


def _times(
    found: Found, scenario: str, what: str, text: str, pair: tuple[str, str], *, wanted: float
) -> Figure | None:
    ratio = _ratio(found, scenario, what, *pair)
    if ratio is None:
        return None
    return Figure(f"{text}, against {pair[1]}", f"{ratio:.2f} times", f"at most {wanted:g} times", ratio <= wanted)
