"""What a lookup costs, counted: bounds that a gross regression breaks, and that no busy machine does."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import threading
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from gateway.server.connection_limit import ConnectionLimit
from gateway.server.lifecycle import Lifecycle
from gateway.server.protocol import Limits, Protocol
from tests import wire
from tests.gateways import Gateway, running
from tests.transports import sockets

TESTS = str(Path(__file__).parent.parent)
OURS = tracemalloc.Filter(inclusive=True, filename_pattern="*/gateway/*")
LOOKUP = b"GET /v1/connections/acme/%d HTTP/1.1\r\nHost: localhost\r\n%b\r\n"


class Line(asyncio.Transport):
    """A caller's connection: what it wrote, in the pieces in which it did."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self._wrote = asyncio.Event()

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))
        self._wrote.set()

    async def answer(self) -> bytes:
        """All of it in one piece."""
        while not self.written:
            self._wrote.clear()
            await self._wrote.wait()
        (written,) = self.written
        return written

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass


class Caller:
    def __init__(self, gateway: Gateway, config: uvicorn.Config) -> None:
        self.gateway = gateway
        self.line = Line()
        self._protocol = Protocol(
            config,
            ServerState(),
            {},
            limits=Limits(10.0, 75.0, 65536),
            lifecycle=Lifecycle(),
            connections=ConnectionLimit(100),
        )
        self._protocol.connection_made(self.line)

    def send(self, user: int, more: bytes = b"") -> None:
        """`more` are header lines."""
        self._protocol.data_received(LOOKUP % (user, more))

    async def ask(self, user: int) -> bytes:
        self.line.written.clear()
        self.send(user)
        return await self.line.answer()

    def leave(self) -> None:
        self._protocol.connection_lost(None)


@asynccontextmanager
async def callers(how_many: int) -> AsyncIterator[list[Caller]]:
    async with running(cache={"fresh_for": 600}) as gateway:
        config = uvicorn.Config(cast("Any", gateway.app), http=Protocol, ws="none", log_config=None)
        config.load()
        calling = [Caller(gateway, config) for _ in range(how_many)]
        try:
            yield calling
        finally:
            for each in calling:
                each.leave()


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What goes round in circles stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Steps:
    """How many of Python's functions are called in this thread, without those that only watch."""

    def __enter__(self) -> Steps:
        self.taken = 0
        self._before = sys.getprofile()
        sys.setprofile(self._count)
        return self

    def __exit__(self, *_how: object) -> None:
        sys.setprofile(self._before)

    def _count(self, frame: Any, event: str, _what: Any) -> None:
        self.taken += event == "call" and TESTS not in frame.f_code.co_filename


class Tasks:
    """How many are made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, loop: asyncio.AbstractEventLoop, work: Any, **named: Any) -> asyncio.Task[Any]:
        self.made += 1
        return asyncio.Task(work, loop=loop, **named)


@pytest.mark.no_cover  # the tracer's calls would be counted as well
async def test_what_is_kept_is_told_in_one_go() -> None:
    async with callers(1) as (caller,):
        for _ in range(2):
            await caller.ask(103)
        gateway, tasks = caller.gateway, Tasks()
        lines, calls = len(gateway.lines), gateway.calls
        caller.line.written.clear()
        asyncio.get_running_loop().set_task_factory(cast("Any", tasks))
        with Steps() as steps:
            caller.send(103)
        (answer,) = caller.line.written
        assert b"cache-status: connection-gateway; hit\r\n" in answer
        assert tasks.made == 0
        assert gateway.calls == calls
        assert len(gateway.lines) == lines + 1
        assert 0 < steps.taken < 110


@pytest.mark.no_cover  # the tracer's calls would be counted as well
async def test_another_trace_with_each_call_costs_little() -> None:
    async def steps(more: bytes) -> int:
        caller.line.written.clear()
        with Steps() as steps:
            caller.send(103, more)
        assert caller.line.written[0].startswith(b"HTTP/1.1 200")
        return steps.taken

    async with callers(1) as (caller,):
        await caller.ask(103)
        without = await steps(b"")
        for number in range(1, 4):
            line = b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-%016x-01\r\ntracestate: us=%d\r\n"
            assert await steps(line % (number, number)) < without + 15


@pytest.mark.no_cover  # the tracer's memory would be counted as well
@pytest.mark.usefixtures("no_collector")
async def test_what_is_kept_is_told_in_little_memory_and_leaves_none_behind() -> None:
    async with callers(1) as (caller,):
        for _ in range(100):
            await caller.ask(103)
        tracemalloc.start()
        try:
            caller.send(103)
            _, peak = tracemalloc.get_traced_memory()
            for _ in range(1000):
                caller.send(103)
                caller.line.written.clear()
            caller.gateway.lines.clear()
            left = tracemalloc.take_snapshot().filter_traces([OURS])
        finally:
            tracemalloc.stop()
        assert peak < 20_000
        assert sum(each.size for each in left.traces) < 10_000


@pytest.mark.no_cover
async def test_a_call_to_a_platform_takes_few_steps() -> None:
    with answering() as url:
        async with wire.pool() as network:
            for _ in range(2):
                await sockets.call(network, url)
            with Steps() as steps:
                answer = await sockets.call(network, url)
    assert answer.content == b"{}"
    assert 0 < steps.taken < 240


@contextmanager
def answering() -> Iterator[str]:
    """A server in a thread of its own, whose steps are not counted: it says the same to all on one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while connection.recv(65536):
                    connection.sendall(sockets.GOOD)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join()


async def test_those_who_come_together_are_asked_for_together() -> None:
    async with callers(32) as calling:
        gateway, tasks = calling[0].gateway, Tasks()
        await calling[0].ask(103)
        lines, calls = len(gateway.lines), gateway.calls
        asyncio.get_running_loop().set_task_factory(cast("Any", tasks))
        for each in calling:
            each.line.written.clear()
        for number, each in enumerate(calling):
            each.send(1000 + number)
        for number, each in enumerate(calling):
            answer = await each.line.answer()
            assert b'"user_id":"%d"' % (1000 + number) in answer
        assert gateway.calls == calls + 1
        assert len(gateway.lines) == lines + 32
        assert tasks.made <= 2
