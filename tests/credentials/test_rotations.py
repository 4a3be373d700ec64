"""A refresh token is replaced while the configuration is read again, and while its file can't be read or written."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.daemon_thread import NAME
from adapters.secret import parse_secret
from adapters.simulation.faults import Fault
from tests import clock
from tests.credentials.oauth import BY_REFRESH, Community, ask, configured, running, with_refresh_token


class Gate:
    """Holds threads up until it is opened; `reached` is set when one has come."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.reached = threading.Event()
        self.waits = 0

    def wait(self) -> bool:
        self.waits += 1
        self.reached.set()
        return self.opened.wait(60)

    async def has_been_reached(self) -> None:
        async with asyncio.timeout(60):
            while not self.reached.is_set():  # noqa: ASYNC110  it is a thread's
                await asyncio.sleep(0.01)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()
    asyncio.run(none_hangs())


def hanging() -> int:
    """How many threads are at work on files."""
    return sum(thread.name == NAME for thread in threading.enumerate())


async def none_hangs() -> None:
    async with asyncio.timeout(60):
        while hanging():  # noqa: ASYNC110  it is a thread's
            await asyncio.sleep(0.01)


def assert_used_once(community: Community) -> None:
    assert len(set(community.refresh_tokens)) == len(community.refresh_tokens)


async def test_a_reload_between_the_answer_and_the_new_file_changes_nothing(
    tmp_path: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    community = Community()
    real = os.fsync
    async with running(tmp_path, community) as gateway:
        monkeypatch.setattr(os, "fsync", lambda descriptor: gate.wait() and real(descriptor))
        asking = asyncio.create_task(gateway.lookup())
        await gate.has_been_reached()
        assert await gateway.reload() == []
        gate.opened.set()
        assert await asking == "pending_outgoing"
        assert await gateway.reload() == []
        community.simulator.misbehave(Fault(expire_sessions=True))
        assert await gateway.lookup() == "pending_outgoing"
    assert_used_once(community)
    assert len(community.forms) == 2


async def test_a_reload_that_has_read_the_old_token_does_not_put_it_back(tmp_path: Path, gate: Gate) -> None:
    community = Community()
    async with running(tmp_path, community) as gateway:
        await gateway.lookup()
        gateway.after_reading = gate.wait
        before = len(gateway.lines)
        gateway.start_reload()
        await gate.has_been_reached()
        for _ in range(2):
            community.simulator.misbehave(Fault(expire_sessions=True))
            assert await gateway.lookup() == "pending_outgoing"
        gate.opened.set()
        assert await gateway.reloaded(before) == []
        community.simulator.misbehave(Fault(expire_sessions=True))
        assert await gateway.lookup() == "pending_outgoing"
    assert_used_once(community)
    assert len(community.forms) == 4


async def test_any_number_of_reloads_during_rotations_uses_each_token_once(tmp_path: Path) -> None:
    community = Community()
    async with running(tmp_path, community) as gateway:
        for _ in range(20):
            community.simulator.misbehave(Fault(expire_sessions=True))
            asking = asyncio.create_task(gateway.lookup())
            assert await gateway.reload() == []
            gateway.start_reload()
            assert await asking == "pending_outgoing"
    assert_used_once(community)
    assert len(community.forms) == 20


async def test_a_token_of_the_operators_is_in_force_after_a_reload(tmp_path: Path) -> None:
    community = Community()
    async with running(tmp_path, community) as gateway:
        await gateway.lookup()
        operators = await community.first_refresh_token()
        (tmp_path / "refresh").write_text(operators)
        assert await gateway.reload() == ["platforms.club.credentials"]
        assert await gateway.lookup() == "pending_outgoing"
    assert community.refresh_tokens[-1] == operators


@pytest.mark.parametrize(
    "token", ["ends in a space ", " begins with one", "a\tb\t", 'ends in a quote"', '" quoted "']
)
def test_white_space_at_the_ends_of_a_token_is_part_of_it(tmp_path: Path, token: str) -> None:
    async def main() -> None:
        community = Community()
        adapter = community.connect(await with_refresh_token(tmp_path, community))
        answer = {"access_token": "demo", "refresh_token": token}
        granting = Fault(path="/oauth/", body=answer)
        community.simulator.misbehave(granting)
        await ask(adapter)
        assert parse_secret((tmp_path / "refresh").read_text()) == token
        community.simulator.misbehave(Fault(path="/connection", status=401, times=1), granting)
        await ask(adapter)
        assert community.refresh_tokens[-1] == token

    clock.run(main())


def test_a_file_that_became_a_pipe_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    async def main() -> None:
        told: list[str] = []
        community = Community()
        adapter = community.connect(await with_refresh_token(tmp_path, community), told.append)
        (tmp_path / "refresh").unlink()
        os.mkfifo(tmp_path / "refresh")
        for _ in range(2):
            community.simulator.misbehave(Fault(expire_sessions=True))
            assert await ask(adapter) == "pending_outgoing"
        assert told == ["refresh-token-unreadable", "refresh-token-not-kept"] * 2
        assert (tmp_path / "refresh").is_fifo()

    clock.run(main())


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.refresh_token.READ_WITHIN", 0.05)
    monkeypatch.setattr("adapters.refresh_token.WRITE_WITHIN", 0.05)


@pytest.mark.usefixtures("_impatient")
async def test_the_newest_token_is_written_once_a_disk_that_hung_is_back(
    tmp_path: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there were meanwhile, and no thread waits for each of them."""
    told: list[str] = []
    community = Community()
    adapter = community.connect(await with_refresh_token(tmp_path, community), told.append)
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: gate.wait() and real(descriptor))
    for _ in range(5):
        community.simulator.misbehave(Fault(expire_sessions=True))
        assert await ask(adapter) == "pending_outgoing"
    assert hanging() == 1
    assert set(told) == {"refresh-token-not-kept", "refresh-token-unreadable"}
    gate.opened.set()
    await none_hangs()
    assert gate.waits == 4, "two writes of file and folder: the one that hung, and the newest"
    community.simulator.misbehave(Fault(expire_sessions=True))
    written = (tmp_path / "refresh").read_text()
    assert await ask(community.connect(configured(tmp_path, BY_REFRESH))) == "pending_outgoing"
    assert community.refresh_tokens[-1] == written
    assert_used_once(community)


@pytest.mark.usefixtures("_impatient")
async def test_a_reading_that_hangs_is_waited_for_once(
    tmp_path: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    community = Community()
    adapter = community.connect(await with_refresh_token(tmp_path, community), told.append)
    real = os.open

    def hang(path: str | os.PathLike[str], *words: int, **named: int) -> int:
        if os.fspath(path).endswith("refresh"):
            gate.wait()
        return real(path, *words, **named)

    monkeypatch.setattr(os, "open", hang)
    for _ in range(5):
        community.simulator.misbehave(Fault(expire_sessions=True))
        async with asyncio.timeout(60):
            assert await ask(adapter) == "pending_outgoing"
        monkeypatch.setattr("adapters.refresh_token.READ_WITHIN", 3600)
        monkeypatch.setattr("adapters.refresh_token.WRITE_WITHIN", 3600)
    assert hanging() == 1
    gate.opened.set()
    await none_hangs()
    monkeypatch.undo()
    assert (tmp_path / "refresh").read_text() not in community.refresh_tokens, "the newest was written in the end"
