"""Blocking work in a thread that keeps no process from ending."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import Future

import pytest

from adapters.daemon_thread import NAME, DaemonThread

HANGS = """
import asyncio, threading
from adapters.daemon_thread import DaemonThread

async def main():
    work = asyncio.get_running_loop().run_in_executor(DaemonThread(), threading.Event().wait)
    await asyncio.wait((work,), timeout=0.1)

asyncio.run(main())
"""


def test_work_is_done_in_another_thread_in_order() -> None:
    thread, seen = DaemonThread(), list[int]()

    def work(number: int) -> str:
        seen.append(number)
        return threading.current_thread().name

    names = [thread.submit(work, number) for number in range(100)]
    assert {each.result(60) for each in names} == {NAME}
    assert seen == list(range(100))


def test_a_failure_is_its_waiters_alone() -> None:
    thread = DaemonThread()
    failing: Future[int] = thread.submit(int, "x")
    with pytest.raises(ValueError, match="invalid literal"):
        failing.result(60)
    assert thread.submit(int, "1").result(60) == 1


def test_a_thread_is_busy_until_there_is_a_result() -> None:
    thread = DaemonThread()
    for _ in range(1000):
        opened = threading.Event()
        waiting = thread.submit(opened.wait)
        busy_meanwhile = thread.busy
        opened.set()
        waiting.result(60)
        assert (busy_meanwhile, thread.busy) == (True, False)


def test_what_is_cancelled_before_its_turn_is_left_out() -> None:
    thread, opened, seen = DaemonThread(), threading.Event(), list[int]()
    first = thread.submit(opened.wait)
    assert thread.submit(seen.append, 1).cancel()
    last = thread.submit(seen.append, 2)
    opened.set()
    assert first.result(60)
    last.result(60)
    assert seen == [2]
    assert not thread.busy


def test_a_process_ends_although_its_work_hangs() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, timeout=60, check=False)  # noqa: S603
    assert (ended.returncode, ended.stderr) == (0, b"")
