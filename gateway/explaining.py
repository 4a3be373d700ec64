"""An account of one lookup that can be told."""

from __future__ import annotations

from collections.abc import Callable

from gateway.explanation import ExplainedBreaker, ExplainedStep, ExplainedThrottle, Explanation, Source
from gateway.line import NOT_YET, Asked
from gateway.lookups import HIT, STALE, Reading
from gateway.stack import Gates
from gateway.trail import Step, StepKind


class Explaining:
    """From when it had `begun` (`loop.time()`, as is `now`). `gates` says how the platform's gates are by then."""

    def __init__(self, gates: Callable[[], Gates], begun: float, now: Callable[[], float]) -> None:
        self._gates = gates
        self._begun = begun
        self._now = now
        self._steps: list[Step] = []
        self._asked: Asked | None = None

    def note(self, kind: StepKind, outcome: str) -> None:
        now = self._now()
        step = Step(kind, now, outcome)
        step.end(now)
        self._steps.append(step)

    def waits(self, asked: Asked) -> None:
        self._asked = asked
        self._steps.append(Step(StepKind.WAIT, self._now(), "joined" if asked.joined else None))

    def steps(self) -> list[Step]:
        """Those of this lookup, and of the call that it waited for, in their order."""
        if self._asked is None:
            return self._steps
        question = self._asked.question
        wait = next(step for step in self._steps if step.kind is StepKind.WAIT)
        if question.began is not NOT_YET and wait.ended is None:
            _end(wait, question.began, self._now())
        return sorted([*self._steps, *question.trail], key=lambda step: step.begun)

    def explanation(self, reading: Reading | None = None) -> Explanation:
        """Of this answer; without one of a problem."""
        now = self._now()
        steps = self.steps()
        gates = self._gates()
        return Explanation(
            source=None if reading is None else _source(reading),
            age_ms=None if reading is None else _milliseconds(now - reading.at),
            took_ms=_milliseconds(now - self._begun),
            calls=sum(step.kind is StepKind.CALL for step in steps),
            tries=sum(step.kind in {StepKind.TRY, StepKind.LOGIN} for step in steps),
            steps=[self._explained(step) for step in steps],
            breaker=ExplainedBreaker(gates.breaker, _milliseconds_or_none(gates.tries_in)),
            throttle=ExplainedThrottle(gates.throttled_for is not None, _milliseconds_or_none(gates.throttled_for)),
        )

    def _explained(self, step: Step) -> ExplainedStep:
        at = _milliseconds(step.begun - self._begun)
        took = None if step.ended is None else _milliseconds(step.ended - step.begun)
        return ExplainedStep(step.kind, at, took, step.outcome, step.users)


def _end(wait: Step, left: float, now: float) -> None:
    """It ends as the call leaves; for one that had left before, as that is back."""
    if left > wait.begun:
        wait.end(left, wait.outcome or "gathered")
    else:
        wait.end(now if wait.outcome else left, wait.outcome or "none")


def _source(reading: Reading) -> Source:
    if reading.source is HIT:
        return Source.CACHE
    return Source.STALE if reading.source in STALE.values() else Source.PLATFORM


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _milliseconds_or_none(seconds: float | None) -> int | None:
    return None if seconds is None else _milliseconds(seconds)
