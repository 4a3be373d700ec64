"""Signals that come while the process is still starting.

SIGHUP, which would end it, is remembered for `serve`, and heeded once it serves. SIGTERM and SIGINT end the start of
`serve` at once, and as a success: being told to stop is no failure. The first process of a container needs handlers
for that: without one, the kernel drops the signal.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

_came: set[int] = set()


def defer() -> None:
    """Remember SIGHUP from now on, unless somebody has decided otherwise."""
    if _may_be_set() and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _remember)


def restore() -> None:
    """For what does not heed SIGHUP: one that has come does now what it would have done."""
    if _may_be_set() and signal.getsignal(signal.SIGHUP) is _remember:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        if _came:
            signal.raise_signal(signal.SIGHUP)


def end_when_told() -> None:
    """From now on SIGTERM and SIGINT end the process with 0."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _end)


def hand_over() -> None:
    """From now on remember these too: the server is about to heed them, and after it nobody needs to."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _remember)


def came() -> frozenset[int]:
    """The signals that nobody has heeded yet; they count as heeded then."""
    found = frozenset(_came)
    _came.clear()
    return found


def ignore() -> None:
    """For a process that is about to end: Python takes its handlers away before it is gone."""
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)


def _may_be_set() -> bool:
    """Only the main thread may set handlers; a program of somebody else's may call this from another."""
    return threading.current_thread() is threading.main_thread()


def _remember(number: int, _frame: FrameType | None) -> None:
    _came.add(number)


def _end(_number: int, _frame: FrameType | None) -> None:
    """Not by an exception: one that is raised while a module is imported may be swallowed there."""
    ignore()
    os._exit(0)
