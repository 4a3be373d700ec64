"""What a scenario has found, beside what is wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from tests.faults.live.callers import Answer, kinds, share


class Scale(NamedTuple):
    """How much of it."""

    lookups: int
    """in each trouble"""
    seconds: float
    """of each load"""
    silent: int
    idle: int
    """connections"""
    cases: int
    """of the whole API"""
    soak: float
    """seconds of mixed faults"""
    slack: float
    """seconds beyond its deadline within which a caller has its answer"""


SHORT: Final = Scale(lookups=400, seconds=2.0, silent=200, idle=500, cases=500, soak=60.0, slack=2.0)
LONG: Final = Scale(lookups=5000, seconds=10.0, silent=1000, idle=5000, cases=20_000, soak=600.0, slack=0.05)


class Figure(NamedTuple):
    what: str
    found: str
    wanted: str
    holds: bool
    is_timing: bool = False
    """whether it says something of a machine that does nothing else, and nothing of a busy one"""


def of_kinds(what: str, answers: Sequence[Answer], right: Collection[str]) -> Figure:
    found = kinds(answers)
    others = sum(times for kind, times in found.items() if kind not in right)
    told = ", ".join(f"{times:,} {kind}" for kind, times in found.most_common())
    return Figure(f"{what}: kinds of {len(answers):,} answers", told, f"0 but {' or '.join(right)}", others == 0)


def in_time(what: str, answers: Sequence[Answer], deadline: float, slack: float) -> Figure:
    latest = share(answers, 1.0)
    wanted = f"at most {(deadline + slack) * 1e3:.0f} ms"
    return Figure(f"{what}: the latest answer", f"{latest * 1e3:.0f} ms", wanted, latest <= deadline + slack)


def quicker(what: str, answers: Sequence[Answer], seconds: float) -> Figure:
    median = share(answers, 0.5)
    return Figure(what, f"{median * 1e3:.2f} ms", f"under {seconds * 1e3:g} ms", median < seconds, True)


def table(figures: Iterable[Figure]) -> str:
    head = "| | found | wanted | |\n| --- | --- | --- | --- |"
    rows = (
        f"| {each.what} | {each.found} | {each.wanted} | {'holds' if each.holds else '**does not hold**'} |"
        for each in figures
    )
    return "\n".join((head, *rows))
