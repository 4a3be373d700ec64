"""When the lines of the log are written."""

from __future__ import annotations

import asyncio

import msgspec

from gateway.telemetry.buffer import MAX_DELAY, MOST, Buffer
from tests.clock import virtual


class Line(msgspec.Struct, array_like=True):
    text: str


class Writes:
    def __init__(self) -> None:
        self.seen: list[str] = []
        self.buffer = Buffer(lambda lines: self.seen.append(lines.decode()), MAX_DELAY)


@virtual
async def test_lines_wait_for_others_but_not_long() -> None:
    writes = Writes()
    for line in ("one", "two"):
        writes.buffer.add(Line(line))
    assert writes.seen == []
    await asyncio.sleep(MAX_DELAY)
    assert writes.seen == ['["one"]\n["two"]\n']


@virtual
async def test_one_that_is_wanted_now_takes_the_others_along() -> None:
    writes = Writes()
    writes.buffer.add(Line("one"))
    writes.buffer.add(Line("two"))
    writes.buffer.flush()
    assert writes.seen == ['["one"]\n["two"]\n']
    await asyncio.sleep(1)
    assert len(writes.seen) == 1


@virtual
async def test_there_are_never_many_that_wait() -> None:
    writes = Writes()
    for number in range(2 * MOST):
        writes.buffer.add(Line(str(number)))
    assert [each.count("\n") for each in writes.seen] == [MOST, MOST]


def test_without_a_loop_nothing_waits() -> None:
    writes = Writes()
    writes.buffer.add(Line("one"))
    assert writes.seen == ['["one"]\n']


@virtual
async def test_a_log_that_nobody_reads_is_no_ones_failure() -> None:
    def gone(_lines: bytes) -> None:
        raise BrokenPipeError

    buffer = Buffer(gone, 0.0)
    buffer.add(Line("one"))
    buffer.add(Line("two"))
