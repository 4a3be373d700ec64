"""The smaller parts of a group: who accepts, who hangs, and when a worker is tried again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys

import msgspec
import pytest

from gateway.server.acceptor import Acceptor
from gateway.telemetry.worker_metrics import Family, Sample
from gateway.workers.backoff import LONGEST, STEADY, Backoff
from gateway.workers.balance import Balance
from gateway.workers.channel import Channel, Kind, Message, frame, receive
from gateway.workers.heartbeat import UNANSWERED, watch_over
from gateway.workers.job import Job
from gateway.workers.log import ParentLog
from tests.clock import virtual


class Others:
    """A group in which other workers do not have fewer connections at first, or always have."""

    def __init__(self, *fewer: bool) -> None:
        self.fewer = list(fewer)

    def tell(self, _connections: int) -> None:
        pass

    def have_fewer(self, _connections: int) -> bool:
        return self.fewer.pop(0) if self.fewer else False

    async def release(self) -> bool:
        return True


async def accepted(listener: socket.socket, others: Others, *, at_once: bool = False) -> int:
    """How many of three connections get a protocol."""
    made: list[asyncio.Protocol] = []

    def protocol() -> asyncio.Protocol:
        made.append(asyncio.Protocol())
        return made[-1]

    callers = [socket.create_connection(listener.getsockname()) for _ in range(3)]
    acceptor = Acceptor(listener, protocol, others, lambda: len(made))
    if at_once:
        acceptor.queue.accept_all()
    else:
        async with asyncio.timeout(10):
            while len(made) < 3:  # noqa: ASYNC110  the event loop's own turns
                await asyncio.sleep(0)
    acceptor.close()
    await acceptor.queue.connected()
    for each in callers:
        each.close()
    return len(made)


async def test_a_worker_that_is_ahead_waits_for_others_but_not_for_good() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        others = Others(True, True)
        assert await accepted(listener, others) == 3
        assert others.fewer == []


async def test_who_waits_when_the_listener_is_closed_is_accepted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert await accepted(listener, Others(True), at_once=True) == 3


def test_a_worker_is_ahead_of_one_that_accepts_and_has_clearly_fewer() -> None:
    balance = Balance.create(3)
    balance.tell(1, 5)
    assert not balance.is_ahead(1)
    balance.tell(2, 4)
    assert not balance.is_ahead(1)
    balance.tell(2, 3)
    assert balance.is_ahead(1)
    assert not balance.is_ahead(2)
    Balance(balance.descriptor, 3).exclude(2)
    assert not balance.is_ahead(1)
    os.close(balance.descriptor)


def test_a_worker_that_keeps_ending_is_tried_ever_more_seldom() -> None:
    backoff = Backoff()
    delays = [backoff.after(lived=1.0) for _ in range(8)]
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, LONGEST, LONGEST]
    assert backoff.after(lived=STEADY) == 0.0
    assert backoff.after(lived=1.0) == 0.5


class Pinged:
    """A worker that answers no ping after the first ones."""

    number = 1
    is_ready = True

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.pings = 0
        self.sent = 0
        self.killed_after: int | None = None

    def send(self, _kind: Kind) -> None:
        self.sent += 1
        if self.sent <= self.answers:
            self.pings = 0

    def kill(self) -> None:
        self.killed_after = self.killed_after or self.sent


@virtual
async def test_a_worker_that_hangs_is_killed() -> None:
    hangs, works = Pinged(answers=4), Pinged(answers=1000)
    log = Log()
    watching = asyncio.create_task(watch_over({1: hangs, 2: works}, log, 5.0))  # type: ignore[dict-item]
    await asyncio.sleep(5.0 * 20)
    watching.cancel()
    assert hangs.killed_after == 4 + UNANSWERED
    assert works.killed_after is None
    assert log.events[0] == "worker-hangs"


class Log(ParentLog):
    def __init__(self) -> None:
        self.events: list[str] = []

    def line(self, event: str, *, level: str = "info", **_fields: int | str) -> None:
        assert level == "error"
        self.events.append(event)


async def test_work_that_is_begun_twice_meanwhile_runs_once_more() -> None:
    runs: list[asyncio.Event] = []

    async def work() -> None:
        runs.append(asyncio.Event())
        await runs[-1].wait()

    job = Job(work)
    for _ in range(3):
        job.start()
    await asyncio.sleep(0)
    assert len(runs) == 1
    runs[0].set()
    while len(runs) < 2:  # noqa: ASYNC110  the event loop's own turns
        await asyncio.sleep(0)
    job.cancel()
    job.start()
    await asyncio.sleep(0)
    assert len(runs) == 2


METRICS = (Family("a", "counter", "What it is.", (Sample("a_total", (("le", "+Inf"),), float("inf")),)),)


async def test_messages_come_as_they_were_sent_however_they_are_cut() -> None:
    ours, theirs = socket.socketpair()
    heard: list[Message] = []
    ended = asyncio.Event()
    channel = await Channel.over(ours, heard.append, ended.set)
    sent = frame(Message(Kind.PING)) + frame(Message(Kind.TOTAL, ok=False, metrics=METRICS))
    for byte in sent:
        channel.data_received(bytes([byte]))
    assert heard == [Message(Kind.PING), Message(Kind.TOTAL, ok=False, metrics=METRICS)]
    channel.send(Kind.PONG)
    assert receive(theirs) == (Message(Kind.PONG), [])
    theirs.close()
    await ended.wait()
    channel.send(Kind.PONG)


def test_a_channel_whose_other_end_is_gone_has_no_message() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(EOFError):
        receive(ours)


def test_the_parent_writes_lines_as_workers_do() -> None:
    """And it imports nothing that answers requests."""
    code = (
        "import sys; import gateway.cli.workers as w; log = w.ParentLog()\n"
        "log.line('worker-ended', level='error', worker=2, exit_code=-9); log._writer.flush(10)\n"
        "sys.exit(any(each.startswith(('httpx', 'starlette', 'uvicorn', 'adapters', 'cryptography')) for each in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)  # noqa: S603  our own
    assert ran.returncode == 0
    line = msgspec.json.decode(ran.stderr)
    assert list(line) == ["time", "level", "event", "worker", "exit_code"]
    assert (line["event"], line["exit_code"]) == ("worker-ended", -signal.SIGKILL)
