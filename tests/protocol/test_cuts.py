"""What a request is does not depend on how its bytes were cut into reads: every one of the corpus, cut everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from tests.protocol.corpus import Case
from tests.protocol.cuts import all_cuts
from tests.protocol.driver import Driver
from tests.protocol.pipelined import alone, second
from tests.protocol.served import nothing_was_done, warm
from tests.protocol.verdict import Verdict


async def judge(driver: Driver, cases: Iterable[Case], every: int) -> tuple[int, list[str]]:
    """How many ways it was sent in, and what was wrong.

    The whole and byte by byte, each with a caller that stays and one that shuts down, and at every so many cuts one of
    the two in turn.
    """
    variants = 0
    objections: list[str] = []
    for case in cases:
        verdict = Verdict(case)
        for number, (name, pieces) in enumerate(all_cuts(case.sent)):
            if number > 1 and number % every:
                continue
            for shuts_down in (False, True) if number < 2 else ((number // every) % 2 == 1,):
                answers, goes_on = await driver.send(pieces, shuts_down=shuts_down)
                verdict.judge(
                    f"{name}{' and shut down' if shuts_down else ''}",
                    answers,
                    goes_on=None if shuts_down else goes_on,
                )
                variants += 1
        objections += verdict.objections
    return variants, objections


@pytest.mark.no_cover  # a hundred thousand requests
@pytest.mark.parametrize(("cases", "every"), [(alone, 1), (second, 5)])
async def test_nothing_depends_on_how_it_was_cut(
    cases: Callable[[], Iterable[Case]], every: int, tell: Callable[[str], None]
) -> None:
    corpus = list(cases())
    async with warm() as gateway:
        driver = Driver(gateway)
        variants, objections = await judge(driver, corpus, every)
        assert not objections, "\n".join(objections[:20])
        assert nothing_was_done(gateway)
    assert variants >= 10 * len(corpus)
    tell(f"reads: {len(corpus)} requests, {cases.__name__}, in {variants:,} ways, each answered the same in all")


def test_no_two_requests_of_the_corpus_are_the_same() -> None:
    corpus = [case.sent for case in alone()]
    assert len(corpus) > 750
    assert len(set(corpus)) > len(corpus) - 40  # a few stand in two lists
