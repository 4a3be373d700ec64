"""Counts failures with different subjects, so that one bad request, repeated, does not open the breaker.

A failure may be the fault of any user whom the call was about, or of its viewer. It counts only if it has none of
them in common with a failure that has counted in the last 10 s, or since a call last succeeded. When a call about
fewer users fails as well, those are blamed alone, and the others can count again.
"""

from __future__ import annotations

from typing import Final

import httpx

from adapters.extensions import BEFORE_IT_LEFT
from adapters.user_ids import UserKey

Subject = int | bytes
"""What a failure may be the fault of: a user's id, a viewer's key, or the path of a request that names neither."""

CAPACITY: Final = 10_000
"""Subjects remembered; the oldest is evicted first."""


def subjects_of(request: httpx.Request, failure: httpx.RequestError | None = None) -> frozenset[Subject]:
    """Whose fault a failure of this request may be.

    Empty where it can be nobody's but the platform's: it did not even receive the request, or it was a login with
    the gateway's own credential.
    """
    viewer = request.extensions.get("viewer")
    users: tuple[UserKey, ...] = request.extensions.get("users", ())
    if isinstance(failure, BEFORE_IT_LEFT) or (viewer is None and not users):
        return frozenset()
    subjects: set[Subject] = set(users)
    if viewer is not None and not viewer.is_own:
        subjects.add(viewer.key)
    return frozenset(subjects or {request.url.raw_path})


class _Failure:
    """One that counted."""

    __slots__ = ("at", "row", "subjects")

    def __init__(self, at: float, row: int, subjects: frozenset[Subject]) -> None:
        self.at = at
        self.row = row
        self.subjects = subjects


class DistinctFailures:
    """Failures that have no subject in common. `window` is in seconds."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._by_subject: dict[Subject, _Failure] = {}
        self._row = 0
        """how many rows of failures have ended"""
        self.in_a_row = 0
        """that counted since a call last succeeded"""

    def add(self, now: float, subjects: frozenset[Subject]) -> bool:
        """Note a failure at `now`; whether it counts."""
        known = self._known(now, subjects)
        if known:
            first, *others = known
            if not others and subjects < first.subjects:
                self._blame_only(first, subjects)
            return False
        self.in_a_row += 1
        failure = _Failure(now, self._row, subjects)
        for subject in subjects:
            self._by_subject.pop(subject, None)
            self._by_subject[subject] = failure
        while len(self._by_subject) > CAPACITY:
            del self._by_subject[next(iter(self._by_subject))]
        return True

    def has(self, now: float, subjects: frozenset[Subject]) -> bool:
        """Whether a failure with any of these subjects would not count."""
        return bool(self._known(now, subjects))

    def end_row(self) -> None:
        """A call succeeded."""
        if self.in_a_row:
            self._row += 1
            self.in_a_row = 0

    def clear(self) -> None:
        self._by_subject.clear()
        self.end_row()

    def _known(self, now: float, subjects: frozenset[Subject]) -> set[_Failure]:
        known = {self._by_subject[subject] for subject in subjects if subject in self._by_subject}
        return {each for each in known if each.row == self._row or now - each.at < self._window}

    def _blame_only(self, failure: _Failure, subjects: frozenset[Subject]) -> None:
        for subject in failure.subjects - subjects:
            if self._by_subject.get(subject) is failure:
                del self._by_subject[subject]
        failure.subjects = subjects
