"""What operators do to a group of workers while callers ask it all the time: no request is lost."""

from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path

import httpx

from adapters.simulation import serving, simulator
from tests.serving.test_notifier import Manager, manager
from tests.workers.group import Group, asking, configuration, workers


async def test_no_signal_costs_a_request(port: int, tmp_path: Path) -> None:
    """One group for all of them, since starting one takes seconds; each step leaves it in service."""
    notify = str(tmp_path / "notify")
    with socket.create_server(("127.0.0.1", 0)) as free:
        admin = free.getsockname()[1]
    more = f'drain_delay = 1.0\nadmin = "127.0.0.1:{admin}"'
    async with serving(simulator("symphony")) as pod_url:
        configured = configuration(port, pod_url, more=more, keys=("web", "bot"))
        with manager(notify) as systemd:
            async with workers(tmp_path, configured, port, listening=1, NOTIFY_SOCKET=notify) as group:
                group.admin = admin
                await is_ready_once_all_workers_are(group, systemd)
                await revokes_a_key_in_every_worker(group, configuration(port, pod_url, more=more))
                assert systemd.read() == ["READY=1", "RELOADING=1", "READY=1"]
                await refuses_a_broken_configuration_as_a_whole(group)
                await replaces_its_workers(group)
                await tells_of_all_workers_at_the_admin_address(admin)
                await keeps_its_workers_where_new_ones_cannot_start(group)
                await replaces_one_worker_that_is_told_to_stop(group)
                await drains(group, systemd)


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
    async with asking(group, answers):
        group.process.send_signal(signal.SIGUSR2)
        await group.until_logged("workers-restarted", 1)
    assert set(answers) == {"connected"}
    after = group.pids()
    assert len(after) == 2
    assert not set(before) & set(after)
    assert await group.counted() >= counted + len(answers)


async def tells_of_all_workers_at_the_admin_address(port: int) -> None:
    """The kernel chooses a worker for each connection."""
    for _ in range(10):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert (await client.get("/readyz")).status_code == 200
            text = (await client.get("/metrics")).text
            assert "connection_gateway_max_concurrency 2000.0" in text
            assert "connection_gateway_config_last_reload_successful 1.0" in text


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


async def drains(group: Group, systemd: Manager) -> None:
    answers: list[str] = []
    pids = group.pids()
    async with asking(group, answers):
        group.process.send_signal(signal.SIGTERM)
    assert await group.ended() == 0
    assert set(answers) <= {"connected", "refused"}
    assert len({line["user"] for line in group.lines() if "user" in line}) == 1, "all workers have the same key"
    assert group.alive(pids) == []
    assert [line["exit_code"] for line in group.logged("worker-ended")] == [2]
    assert systemd.read()[-1] == "STOPPING=1"
