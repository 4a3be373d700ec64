"""What operators do to a group of workers while callers ask it all the time: no request is lost."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from adapters.simulation import Simulator, serving, simulator
from adapters.simulation.faults import Fault
from tests.faults.live.callers import once
from tests.serving.test_notifier import Manager, manager
from tests.serving.test_process import LONGEST, refusing, until
from tests.workers.group import Group, asking, configuration, workers


async def test_no_signal_costs_a_request(port: int, tmp_path: Path) -> None:
    """One group for all of them, since starting one takes seconds; each step leaves it in service."""
    notify = str(tmp_path / "notify")
    with socket.create_server(("127.0.0.1", 0)) as free:
        admin = int(free.getsockname()[1])
    server = f'drain_delay = 1.0\nadmin = "127.0.0.1:{admin}"'
    pod = simulator("symphony")
    async with serving(pod) as pod_url:
        configured = configuration(port, pod_url, more=server, keys=("web", "bot"))
        with manager(notify) as systemd:
            async with workers(tmp_path, configured, port, listening=1, NOTIFY_SOCKET=notify) as group:
                group.metrics_port = admin
                await is_ready_once_all_workers_are(group, systemd)
                await revokes_a_key_in_every_worker(group, configuration(port, pod_url, more=server))
                assert systemd.read() == ["READY=1", "RELOADING=1", "READY=1"]
                await refuses_a_broken_configuration_as_a_whole(group)
                await replaces_its_workers(group)
                assert (await once(admin, "/readyz")).kind == "ready"
                await keeps_its_workers_where_new_ones_cannot_start(group)
                await replaces_one_worker_that_is_told_to_stop(group)
                await drains(group, pod, systemd)


async def is_ready_once_all_workers_are(group: Group, systemd: Manager) -> None:
    await systemd.until("READY=1")
    await asyncio.sleep(0.2)  # the log is written by a thread; a second worker takes longer to start
    assert {line["worker"] for line in group.logged("listening")} == {1, 2}


async def revokes_a_key_in_every_worker(group: Group, configured: str) -> None:
    answers: list[str] = []
    async with asking(group, answers):
        assert {(await group.get(key="bot")).kind for _ in range(10)} == {"connected"}
        group.file.write_text(configured)
        group.process.send_signal(signal.SIGHUP)
        await group.until_logged("reloaded", 2)
        assert {(await group.get(key="bot")).kind for _ in range(10)} == {"invalid-api-key"}
    assert set(answers) == {"connected"}
    assert {line["worker"] for line in group.logged("reloaded")} == {1, 2}


async def refuses_a_broken_configuration_as_a_whole(group: Group) -> None:
    """The second worker is not even told of it."""
    good = group.file.read_text()
    group.file.write_text("[server")
    group.process.send_signal(signal.SIGHUP)
    await group.until_logged("not-reloaded", 1)
    group.file.write_text(good)
    group.process.send_signal(signal.SIGHUP)
    await group.until_logged("reloaded", 4)
    assert [line["worker"] for line in group.logged("not-reloaded")] == [1]


async def replaces_its_workers(group: Group) -> None:
    answers: list[str] = []
    before, counted = group.pids(), await group.counted()
    async with asking(group, answers), idle_connections(group) as idle:
        group.process.send_signal(signal.SIGUSR2)
        await group.until_logged("listening", 3)
        await asyncio.sleep(1.0)  # in which the worker that leaves would have closed them
        async with asyncio.timeout(LONGEST):
            while not await ask_once_more(idle):  # noqa: ASYNC110  the last answer of a connection says so
                await asyncio.sleep(0.1)
        await close(idle)
        await group.until_logged("workers-restarted", 1)
    assert set(answers) == {"connected"}
    after = group.pids()
    assert len(after) == 2
    assert not set(before) & set(after)
    assert await group.counted() >= counted + len(answers)


Connections = list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]


@asynccontextmanager
async def idle_connections(group: Group) -> AsyncIterator[Connections]:
    """So many that each worker has some."""
    opened = [await asyncio.open_connection("127.0.0.1", group.port) for _ in range(12)]
    try:
        await ask_once_more(opened)
        yield opened
    finally:
        await close(opened)


async def close(connections: Connections) -> None:
    for _, writer in connections:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def ask_once_more(connections: Connections) -> int:
    """Every connection gets an answer. Returns how many of them it was the last of; those are closed."""
    closed = 0
    for reader, writer in connections:
        writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        closed += b"\r\nconnection: close\r\n" in head
        await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
    return closed


async def keeps_its_workers_where_new_ones_cannot_start(group: Group) -> None:
    good, before = group.file.read_text(), group.pids()
    group.file.write_text(good.replace("request_timeout", "request_tiemout"))
    group.process.send_signal(signal.SIGUSR2)
    await group.until_logged("workers-not-restarted", 1)
    group.file.write_text(good)
    assert group.pids() == before
    assert (await group.get()).kind == "connected"


async def replaces_one_worker_that_is_told_to_stop(group: Group) -> None:
    answers: list[str] = []
    before = group.pids()
    async with asking(group, answers):
        group.signal_to(before[0], signal.SIGTERM)
        await group.until(lambda: before[0] not in group.pids() and len(group.pids()) == 2)
        await group.until_logged("listening", 5)
    assert set(answers) == {"connected"}
    assert before[1] in group.pids()


async def drains(group: Group, pod: Simulator, systemd: Manager) -> None:
    """Connections are refused while what was admitted is still in work."""
    answers: list[str] = []
    pids = group.pids()
    pod.misbehave(Fault(path="/info", delay=4.0, times=1))
    slow = asyncio.create_task(group.get("/v1/connections/acme/103"))
    await until(pod, calls=pod.calls.calls + 1)
    async with asking(group, answers):
        group.process.send_signal(signal.SIGTERM)
    await refusing(group.port)
    assert not slow.done()
    assert (await slow).kind == "pending_outgoing"
    assert await group.ended() == 0
    assert set(answers) <= {"connected", "refused"}
    hashes = {line["user"] for line in group.lines() if "user" in line}
    assert len(hashes) == 2, "of two users, under the one key of all workers"
    assert group.alive(pids) == []
    assert [line["exit_code"] for line in group.logged("worker-ended")] == [2]
    assert systemd.read()[-1] == "STOPPING=1"
