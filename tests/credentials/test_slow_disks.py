"""A disk that hangs while a refresh token is read or written, and comes back."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from adapters.simulation.faults import Fault
from tests.credentials.gates import Gate, hanging, none_hangs
from tests.credentials.oauth import BY_REFRESH, Community, ask, assert_used_once, configured, with_refresh_token


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
        await gate.has_been_reached()
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
