"""A refresh token is replaced while the configuration is read again; what it may look like, and what its file."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from adapters.secret import parse_secret
from adapters.simulation.faults import Fault
from tests import clock
from tests.credentials.gates import Gate
from tests.credentials.oauth import Community, ask, assert_used_once, running, with_refresh_token


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
