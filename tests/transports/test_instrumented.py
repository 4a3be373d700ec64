"""What is told of each call that leaves."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from gateway.transports.instrumented import Instrumented
from tests.clock import virtual
from tests.transports.scripted import Outcome, Wire, ask, outcome_of


class Notes:
    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str]] = []
        self.seconds: list[float] = []

    def __call__(self, request: httpx.Request, status: str, error: str, seconds: float) -> None:
        self.seen.append((request.method, status, error))
        self.seconds.append(seconds)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (200, ("GET", "200", "")),
        (503, ("GET", "503", "")),
        (httpx.ConnectTimeout, ("GET", "", "ConnectTimeout")),
        (httpx.DecodingError, ("GET", "", "DecodingError")),
    ],
)
def test_the_end_of_a_call_is_noted(outcome: Outcome, told: tuple[str, str, str]) -> None:
    @virtual
    async def main() -> None:
        notes = Notes()
        await outcome_of(Instrumented(Wire([outcome], seconds=0.25), notes))
        assert (notes.seen, notes.seconds) == ([told], [0.25])

    main()


@virtual
async def test_a_call_whose_end_nobody_waited_for_is_noted() -> None:
    notes = Notes()
    asking = asyncio.create_task(ask(Instrumented(Wire(seconds=1.0), notes)))
    await asyncio.sleep(0.5)
    asking.cancel()
    await asyncio.wait([asking])
    assert (notes.seen, notes.seconds) == ([("GET", "", "CancelledError")], [0.5])
