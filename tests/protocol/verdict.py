"""Judges the answers to one request that was sent in many ways."""

from __future__ import annotations

import re

from tests.protocol.corpus import Case

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
VARYING = re.compile(rb'(?:date|age|cache-status): [^\r]*|x-request-id: \S+|"(?:as_of|instance)":"[^"]*"')
"""What differs between two answers to the same: ids and times."""


class Verdict:
    """Compares the answers to `case` with what is right, and with each other."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._first: bytes | None = None
        self._goes_on: bool | None = None
        self.objections: list[str] = []

    def judge(self, how: str, answers: bytes, *, goes_on: bool | None = None) -> None:
        """Answers to the case sent in this way, and whether the connection went on, where the caller left it open."""
        if what := self._case.objection(tuple(map(int, STATUS.findall(answers)))):
            self._object(how, what)
        same = VARYING.sub(b"", answers)
        if self._first is None:
            self._first = same
        elif same != self._first:
            at = next((at for at, each in enumerate(zip(same, self._first, strict=False)) if each[0] != each[1]), -1)
            self._object(how, f"at {at} {same[at:][:90]!r} instead of {self._first[at:][:90]!r}")
        if goes_on is not None:
            if self._goes_on is None:
                self._goes_on = goes_on
            elif goes_on is not self._goes_on:
                self._object(how, f"the connection {'goes on' if goes_on else 'is closed'}, and otherwise not")

    def _object(self, how: str, what: str) -> None:
        self.objections.append(f"{self._case.name}, {how}: {what}")
