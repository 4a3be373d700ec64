"""What callers and surroundings do to the gateway, while others are served beside it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from tests.faults.live import figures
from tests.faults.live.callers import LOST, REFUSED, Answer, Caller, at_once, kinds, once
from tests.faults.live.figures import Figure, Scale
from tests.faults.live.processes import Running, gateway, simulated
from tests.faults.live.scenarios import NUMBERS, STATUSES, lookup, of_club, patient
from tests.wire import listening

PROBE: Final = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
DOCUMENT: Final = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
FLOOD: Final = PROBE[:-2] + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000
NAME_SERVER: Final = "127.0.0.78"
"""Where nobody answers."""
GROWTH: Final = 10.0
"""MB by which a process may have grown after a flood."""


async def unread_log(folder: Path, port: int, scale: Scale) -> list[Figure]:
    """Standard error is a pipe that nobody reads: 20 times as many requests as fit into it."""
    reading, writing = os.pipe()
    try:
        async with (
            simulated("symphony") as pod,
            gateway(folder, port, {"acme": pod.url}, log_to=writing) as running,
        ):
            answers = await at_once(port, 8, patient, most=max(scale.lookups, 6000))
            await at_once(port, 1, _probe, most=1)
            code = await running.stop()
    finally:
        os.close(reading)
        os.close(writing)
    return [
        figures.of_kinds("a log that nobody reads", answers, ("none",)),
        Figure("a log that nobody reads: exit code after SIGTERM", str(code), "0", code == 0),
    ]


async def hanging_names(folder: Path, port: int, scale: Scale) -> list[Figure]:
    """Two platforms whose names never resolve, beside one that is well."""
    if not may_unshare():
        return [Figure("names that hang", "no mount namespace for this user", "-", holds=True, is_timing=True)]
    resolving = folder / "resolv.conf"
    resolving.write_text(f"nameserver {NAME_SERVER}\noptions timeout:30 attempts:5\n")
    prefix = ("unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(resolving))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((NAME_SERVER, 53))
        urls = {"acme": "http://one.hangs.example", "guild": "http://two.hangs.example"}
        async with (
            simulated("selfcommunity") as club,
            gateway(folder, port, {**urls, "club": club.url}, prefix=prefix),
        ):
            beside = asyncio.create_task(at_once(port, 8, of_club, seconds=scale.seconds))
            hanging = await at_once(port, 16, patient, seconds=scale.seconds)
            answers = await beside
    return [
        figures.of_kinds(
            "names that hang: their platform", hanging, ("platform-unreachable", "platform-unavailable")
        ),
        figures.of_kinds("names that hang: the other platform", answers, sorted(STATUSES)),
    ]


async def interim(folder: Path, port: int, scale: Scale) -> list[Figure]:
    """One platform sends interim answers without end, beside one that is well."""

    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while not writer.is_closing():
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
                await writer.drain()

    async with (
        listening(endless) as where,
        simulated("selfcommunity") as club,
        gateway(folder, port, {"acme": f"http://{where}", "club": club.url}),
    ):
        beside = asyncio.create_task(at_once(port, 8, of_club, seconds=scale.seconds))
        bad = await at_once(port, 8, lookup, seconds=scale.seconds)
        answers = await beside
    wanted = ("platform-unreachable", "platform-unavailable", "platform-timeout")
    return [
        figures.of_kinds("interim answers without end: their platform", bad, wanted),
        figures.of_kinds("interim answers without end: the other platform", answers, sorted(STATUSES)),
        figures.in_time("interim answers without end: the other platform", answers, 0.05, scale.slack),
    ]


async def unread_answers(folder: Path, port: int, scale: Scale) -> list[Figure]:
    """Connections that ask and do not read, and go on asking, beside callers who do."""
    limits: dict[str, Any] = {"header_timeout": 1.0, "max_concurrency": 20}
    async with simulated("symphony") as pod, gateway(folder, port, {"acme": pod.url}, **limits) as running:
        ones = [_connect(port) for _ in range(100)]
        for one in ones:
            _pour(one, DOCUMENT * 100)
        beside = asyncio.create_task(at_once(port, 8, patient, seconds=scale.seconds + 2.0))
        for _ in range(20):
            for one in ones:
                _pour(one, PROBE)
            await asyncio.sleep(0.1)
        answers = await beside
        left = running.descriptors()
        for one in ones:
            one.close()
    return [
        figures.of_kinds("beside 100 who do not read", answers, ("none",)),
        Figure("100 who do not read: still connected", str(max(left - 40, 0)), "0", left < 60),
    ]


async def pipelining(folder: Path, port: int, scale: Scale) -> list[Figure]:
    """Requests with bodies, sent faster than their answers are read."""
    async with simulated("symphony") as pod, gateway(folder, port, {"acme": pod.url}, header_timeout=2.0) as running:
        await at_once(port, 8, _the_same, most=200)
        before = running.memory()
        stop = asyncio.Event()
        pouring = [asyncio.create_task(_flood(port, stop)) for _ in range(4)]
        peak = asyncio.create_task(_peak(running, stop))
        answers = await at_once(port, 8, _the_same, seconds=scale.seconds)
        stop.set()
        highest = await peak
        sent = sum(await asyncio.gather(*pouring))
        await asyncio.sleep(0.5)
        after = running.memory()
    return [
        figures.of_kinds(
            f"beside {sent / 1e6:,.0f} MB of requests that nobody reads the answers of", answers, ("connected",)
        ),
        Figure(
            "the same: the most that the process grew", f"{highest - before:.0f} MB", "20 MB", highest - before < 20
        ),
        Figure("the same: after it", f"{after - before:+.0f} MB", f"{GROWTH:.0f} MB", after - before < GROWTH),
    ]


async def descriptors(folder: Path, port: int, scale: Scale) -> list[Figure]:
    """Strangers take whatever connections there are, from a process with 200 descriptors."""
    prefix = ("sh", "-c", 'ulimit -n 200; exec "$@"', "sh")
    async with simulated("symphony") as pod, gateway(folder, port, {"acme": pod.url}, prefix=prefix) as running:
        strangers: list[socket.socket] = []
        stop = asyncio.Event()

        async def come() -> None:
            while not stop.is_set():
                strangers.append(_connect(port))
                if len(strangers) > 500:
                    strangers.pop(0).close()
                await asyncio.sleep(0.002)

        coming = asyncio.create_task(come())
        await asyncio.sleep(0.5)
        answers = await at_once(port, 8, patient, seconds=scale.seconds)
        stop.set()
        await coming
        most = running.descriptors()
        health = await once(port, "/v1/platforms")
        for one in strangers:
            one.close()
    return [
        figures.of_kinds("strangers without end, 200 descriptors", answers, ("none",)),
        Figure("the same: descriptors in use", str(most), "under 200", most < 200),
        Figure("the same: the platform's breaker", health.kind, "200", health.kind == "200"),
    ]


async def handover(folder: Path, port: int, scale: Scale) -> list[Figure]:
    """A process takes over the Unix socket of another one, five times, under load."""
    path = str(folder / "gateway.sock")
    found: list[Answer] = []
    async with simulated("symphony") as pod, AsyncExitStack() as processes:
        await pod.misbehave(delay=0.02, path="/connection")
        old = await processes.enter_async_context(_listening(folder, "0", port, pod.url, path))
        stop = asyncio.Event()
        asking = asyncio.create_task(_until(stop, path, found))
        for number in range(1, 4):
            stopping = asyncio.create_task(old.stop())
            while _is_socket(path):  # noqa: ASYNC110  another process has no event
                await asyncio.sleep(0.001)
            old = await processes.enter_async_context(_listening(folder, str(number), port, pod.url, path))
            await asyncio.sleep(scale.seconds / 5)
            await stopping
        stop.set()
        await asking
        is_there = _is_socket(path)
        await old.stop()
    answers = kinds(found)
    told = ", ".join(f"{times:,} {kind}" for kind, times in answers.most_common())
    return [
        Figure("handover of a socket under load", told, f"none, or {REFUSED} while there is none", not answers[LOST]),
        Figure("handover: the file of the last one", str(is_there), "True", is_there),
    ]


@asynccontextmanager
async def _listening(folder: Path, name: str, port: int, url: str, path: str) -> AsyncIterator[Running]:
    own = folder / name
    own.mkdir()
    async with gateway(own, port, {"acme": url}, socket=f"'{path}'", drain_delay=0.3) as running:
        yield running


async def _until(stop: asyncio.Event, path: str, found: list[Answer]) -> None:
    async def one() -> None:
        caller = Caller(path)
        while not stop.is_set():
            found.append(await patient(caller))
            if found[-1].kind == REFUSED:
                await asyncio.sleep(0.01)
        caller.close()

    await asyncio.gather(*(one() for _ in range(16)))


async def _the_same(caller: Caller) -> Answer:
    """Of few users, so that no cache grows meanwhile."""
    return await caller.get(f"/v1/connections/acme/{1000 + next(NUMBERS) % 50}")


async def _probe(caller: Caller) -> Answer:
    return await caller.get("/livez")


def _is_socket(path: str) -> bool:
    return Path(path).is_socket()


def _connect(port: int) -> socket.socket:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    one.setblocking(False)
    with contextlib.suppress(OSError):
        one.connect(("127.0.0.1", port))
    return one


def _pour(one: socket.socket, sent: bytes) -> None:
    with contextlib.suppress(OSError):
        one.send(sent)


async def _flood(port: int, stop: asyncio.Event) -> int:
    loop = asyncio.get_running_loop()
    sent = 0
    while not stop.is_set():
        one = socket.socket()
        one.setblocking(False)
        with contextlib.suppress(OSError, TimeoutError):
            await loop.sock_connect(one, ("127.0.0.1", port))
            async with asyncio.timeout(3.0):
                while not stop.is_set():
                    await loop.sock_sendall(one, FLOOD * 60)
                    sent += len(FLOOD) * 60
        one.close()
    return sent


async def _peak(running: Running, stop: asyncio.Event) -> float:
    highest = 0.0
    while not stop.is_set():
        highest = max(highest, running.memory())
        await asyncio.sleep(0.05)
    return highest


def may_unshare() -> bool:
    """Whether this user may have a mount namespace of its own."""
    return (
        shutil.which("unshare") is not None
        and subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0  # noqa: S607
    )


HOSTILE: Final = {
    "unread-log": unread_log,
    "hanging-names": hanging_names,
    "interim": interim,
    "unread-answers": unread_answers,
    "pipelining": pipelining,
    "descriptors": descriptors,
    "handover": handover,
}
