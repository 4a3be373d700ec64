"""Explains one lookup: collects its steps, for `explain=true` and for traces."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from gateway.explain.explanation import ExplainedBreaker, ExplainedStep, ExplainedThrottle, Explanation
from gateway.explain.timeline import Step, StepKind
from gateway.health import Gates
from gateway.platforms.lookup.lookups import Reading
from gateway.platforms.lookup.pending import LookupHandle


class Explainer:
    """A `LookupObserver` that collects steps from `begun` on (`loop.time()`, as is `now`).

    `gates` returns the state of the platform's circuit breaker and throttle.
    """

    def __init__(self, gates: Callable[[], Gates], begun: float, now: Callable[[], float]) -> None:
        self._gates = gates
        self._begun = begun
        self._now = now
        self._steps: list[Step] = []
        self._asked: LookupHandle | None = None

    def note(self, kind: StepKind, outcome: str) -> None:
        now = self._now()
        step = Step(kind, now, outcome)
        step.end(now)
        self._steps.append(step)

    def waits(self, asked: LookupHandle) -> None:
        self._asked = asked
        outcome = "joined" if asked.joined else "gathered" if asked.is_gathered else "none"
        self._steps.append(Step(StepKind.WAIT, self._now(), outcome))

    def own_steps(self) -> list[Step]:
        """Those that are nobody else's. One that has not ended is still going on."""
        if self._asked is not None:
            wait = next(step for step in self._steps if step.kind is StepKind.WAIT)
            if wait.ended is None and self._asked.lookup.timelines:
                left = self._asked.lookup.timelines[0][0].begun
                wait.end(self._now() if left < wait.begun else left)
        return self._steps

    def steps(self) -> list[Step]:
        """Those of this lookup, and of each call about its user, in their order."""
        timelines = () if self._asked is None else self._asked.lookup.timelines
        return sorted([*self.own_steps(), *itertools.chain(*timelines)], key=lambda step: step.begun)

    def explanation(self, reading: Reading | None = None) -> Explanation:
        """Of this answer; without one of a problem."""
        now = self._now()
        steps = self.steps()
        gates = self._gates()
        return Explanation(
            source=None if reading is None else reading.origin.source,
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


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _milliseconds_or_none(seconds: float | None) -> int | None:
    return None if seconds is None else _milliseconds(seconds)
