"""An event loop whose clock moves only when everybody waits: an hour of pauses takes no time, and never flakes.

For tests without sockets. What waits for a time is woken at exactly that time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events:
            assert timeout is not None, "everybody waits, and nobody for a time: a deadlock"
            self._clock.now += timeout
        return events


class VirtualClock(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self.now

    def run_in_executor(  # type: ignore[override]  # what it returns is awaited, and nothing else
        self, _executor: object, work: Callable[..., T], *words: Any
    ) -> asyncio.Future[T]:
        """At once, since a thread has no place in this time."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(work(*words))
        except Exception as error:  # noqa: BLE001  whatever it is, it is the awaiter's
            done.set_exception(error)
        return done


def virtual(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run an asynchronous test, one without parameters, on a virtual clock."""

    def on_virtual_clock() -> None:
        run(test())

    return on_virtual_clock


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on a virtual clock that starts at 0."""
    with asyncio.Runner(loop_factory=VirtualClock) as runner:
        return runner.run(main)


async def forever() -> None:
    """Wait until cancelled."""
    await asyncio.sleep(1e9)
