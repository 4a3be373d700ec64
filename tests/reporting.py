"""What a run says at its end, put together from all the processes that ran a part of it."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.canary import Watch
from tests.promises import Promises

WATCH: Final = Watch()
PROMISES: Final = Promises()
"""Both over all that this process does."""


class Report:
    """A pytest plugin. A leak and a broken promise fail the run, and with `no_skips` so does whatever was skipped, and
    a promise that no answer kept.
    """

    def __init__(self, *, no_skips: bool) -> None:
        self.lines: list[str] = []
        """what tests want to be read"""
        self._no_skips = no_skips
        self._marks: set[str] = set()
        self._read = 0
        self._leaks: set[str] = set()
        self._answers = 0
        self._broken: set[str] = set()
        self._kept: set[str] = set()

    def pytest_testnodedown(self, node: Any) -> None:
        """Another process has ended; one that was cut off has nothing to say, and xdist fails the run for it."""
        for part in getattr(node, "workeroutput", {}).get("report", ()):
            self._add(**part)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        WATCH.read_reprs()
        own: dict[str, Any] = {
            "lines": self.lines,
            "marks": sorted(WATCH.secrets | WATCH.users),
            "read": WATCH.read_so_far,
            "leaks": sorted(WATCH.leaks()),
            "answers": PROMISES.answers,
            "broken": sorted(PROMISES.broken),
            "kept": sorted(PROMISES.kept),
        }
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["report"] = [own]
            return
        self.lines = []
        self._add(**own)
        not_all = self._no_skips and (self._skipped(session) or self._not_kept())
        if self._leaks or self._broken or not_all:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for line in self.lines:
            terminalreporter.write_line(line)
        told = f"{len(self._marks):,} parts of secrets and users in {self._read:,} lines, answers and errors"
        terminalreporter.write_line(f"silence: {told}: {len(self._leaks)} found")
        for leak in sorted(self._leaks):
            terminalreporter.write_line(leak, red=True)
        kept = f"of {len(set(PROMISES.made()))} statuses and problems that it promises, {len(self._kept)} seen"
        told = f"{self._answers:,} answers; {kept}"
        terminalreporter.write_line(f"/openapi.json: {told}: {len(self._broken)} broken")
        for broken in sorted(self._broken):
            terminalreporter.write_line(broken, red=True)
        if self._no_skips and (never := self._not_kept()):
            terminalreporter.write_line(f"promised, and never seen: {', '.join(never)}", red=True)
        skipped = self._skipped(terminalreporter)
        if skipped and self._no_skips:
            terminalreporter.write_line(
                f"Nothing may be skipped here, but these were: {', '.join(skipped)}", red=True
            )

    def _add(
        self,
        *,
        lines: list[str],
        marks: list[str],
        read: int,
        leaks: list[str],
        answers: int,
        broken: list[str],
        kept: list[str],
    ) -> None:
        self.lines += lines
        self._answers += answers
        self._broken.update(broken)
        self._kept.update(kept)
        self._marks.update(marks)
        self._read += read
        self._leaks.update(leaks)

    def _not_kept(self) -> list[str]:
        return sorted(set(PROMISES.made()) - self._kept)

    @staticmethod
    def _skipped(session: Any) -> list[str]:
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        return [report.nodeid for report in reporter.stats.get("skipped", ())]
