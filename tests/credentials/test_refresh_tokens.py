"""A refresh token that is replaced while it is in use: where it is kept, and what can't lose it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from adapters.contract import InvalidAnswer
from adapters.refresh_token import RefreshTokens
from adapters.simulation.faults import Fault
from tests import clock
from tests.credentials.oauth import (
    BY_PASSWORD,
    BY_REFRESH,
    Community,
    ask,
    configured,
    names_in,
    with_refresh_token,
)


def test_a_new_refresh_token_takes_the_old_ones_place_and_survives_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        settings = await with_refresh_token(tmp_path, community)
        seen = {(tmp_path / "refresh").read_text()}
        for _ in range(3):
            adapter = community.connect(settings)
            for _ in range(2):
                await ask(adapter)
                community.simulator.misbehave(Fault(expire_sessions=True))
                await ask(adapter)
                now = (tmp_path / "refresh").read_text()
                assert now not in seen
                seen.add(now)
            settings = configured(tmp_path, BY_REFRESH)  # as a restart reads it
        assert (tmp_path / "refresh").stat().st_mode & 0o777 == 0o600
        assert names_in(tmp_path) == {"refresh", "client", "gateway.toml"}

    clock.run(main())


def test_the_file_is_written_with_mode_600_whatever_it_was(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        settings = await with_refresh_token(tmp_path, community)
        (tmp_path / "refresh").chmod(0o644)
        await ask(community.connect(settings))
        assert (tmp_path / "refresh").stat().st_mode & 0o777 == 0o600

    clock.run(main())


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / "token").write_text(await community.first_refresh_token())
        (tmp_path / "refresh").symlink_to(tmp_path / "kept" / "token")
        before = (tmp_path / "kept" / "token").read_text()
        await ask(community.connect(configured(tmp_path, BY_REFRESH)))
        assert (tmp_path / "refresh").is_symlink()
        assert (tmp_path / "kept" / "token").read_text() != before

    clock.run(main())


@pytest.mark.parametrize("broken", [OSError(28, "No space left"), PermissionError(13, "no")])
def test_one_that_can_not_be_written_is_kept_in_memory_and_the_operator_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: OSError
) -> None:
    async def main() -> None:
        told: list[str] = []
        community = Community()
        settings = await with_refresh_token(tmp_path, community)
        before = (tmp_path / "refresh").read_text()
        adapter = community.connect(settings, told.append)

        def fail(*_: Any) -> None:
            raise broken

        monkeypatch.setattr(os, "fsync", fail)
        for _ in range(3):
            await ask(adapter)
            community.simulator.misbehave(Fault(expire_sessions=True))
        assert told == ["refresh-token-not-kept"] * 3
        assert (tmp_path / "refresh").read_text() == before
        assert names_in(tmp_path) == {"refresh", "client", "gateway.toml"}
        monkeypatch.undo()
        await ask(adapter)
        assert (tmp_path / "refresh").read_text() != before

    clock.run(main())


def test_one_from_the_environment_is_kept_in_memory(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        (tmp_path / "refresh").write_text("of another one")
        token = await community.first_refresh_token()
        settings = configured(tmp_path, BY_REFRESH, CREDENTIALS__REFRESH_TOKEN=token)
        adapter = community.connect(settings)
        for _ in range(3):
            await ask(adapter)
            community.simulator.misbehave(Fault(expire_sessions=True))
        assert (tmp_path / "refresh").read_text() == "of another one"

    clock.run(main())


def test_what_another_process_left_in_the_file_is_used(tmp_path: Path) -> None:
    """A command and the service take turns, and neither uses up what the other needs."""

    async def main() -> None:
        community = Community()
        settings = await with_refresh_token(tmp_path, community)
        service = community.connect(settings)
        await ask(service)
        for _ in range(3):
            command = community.connect(configured(tmp_path, BY_REFRESH))
            assert await command.identify() is not None
            community.simulator.misbehave(Fault(expire_sessions=True))
            assert await ask(service) == "pending_outgoing"

    clock.run(main())


def test_a_file_that_became_unreadable_is_no_reason_to_stop(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        adapter = community.connect(await with_refresh_token(tmp_path, community))
        await ask(adapter)
        for content in (b"", b" \n", b"\xff\xfe"):
            (tmp_path / "refresh").write_bytes(content)
            community.simulator.misbehave(Fault(expire_sessions=True))
            assert await ask(adapter) == "pending_outgoing"
        (tmp_path / "refresh").unlink()
        community.simulator.misbehave(Fault(expire_sessions=True))
        assert await ask(adapter) == "pending_outgoing"

    clock.run(main())


def test_a_community_that_keeps_its_refresh_token_is_believed(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        settings = await with_refresh_token(tmp_path, community)
        before = (tmp_path / "refresh").read_text()
        file = (tmp_path / "refresh").stat().st_ino
        for rest in ({}, {"refresh_token": None}, {"refresh_token": before}):
            community.simulator.misbehave(Fault(path="/oauth/", body={"access_token": "demo"} | rest))
            await ask(community.connect(settings))
        assert (tmp_path / "refresh").read_text() == before
        assert (tmp_path / "refresh").stat().st_ino == file, "nothing was written"

    clock.run(main())


def test_credentials_are_the_same_if_nobody_but_us_replaced_the_refresh_token(tmp_path: Path) -> None:
    """So a reload keeps the session, whether the new token could be written to its file or not."""
    (tmp_path / "refresh").write_text("first")
    (tmp_path / "password").write_text("first")

    def now(grant: str = BY_REFRESH) -> Any:
        return configured(tmp_path, grant).platforms["club"].credentials.as_first_configured(tokens)

    tokens = RefreshTokens()
    before = now()
    assert before == now()
    in_use = tokens.in_use(before.refresh_token)
    in_use.replace("second")
    assert before == now()
    (tmp_path / "refresh").write_text("second")
    in_use.replace("third")
    assert before == now(), "what a reload read just before it was replaced"
    (tmp_path / "refresh").write_text("of another one")
    assert before != now()
    assert before != now(BY_PASSWORD)
    assert now(BY_PASSWORD) != before


def test_what_the_operator_puts_into_the_file_meanwhile_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        adapter = community.connect(await with_refresh_token(tmp_path, community))
        community.simulator.misbehave(Fault(path="/oauth/", delay=1.0, times=1))
        asking = asyncio.create_task(ask(adapter))
        await asyncio.sleep(0.5)
        operators = await community.first_refresh_token()
        (tmp_path / "refresh").write_text(operators)
        assert await asking == "pending_outgoing"
        assert (tmp_path / "refresh").read_text() == operators
        community.simulator.misbehave(Fault(expire_sessions=True))
        await ask(adapter)
        assert community.forms[-1]["refresh_token"] == operators

    clock.run(main())


def test_a_new_refresh_token_is_kept_whatever_else_is_wrong_with_the_answer(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        adapter = community.connect(await with_refresh_token(tmp_path, community))
        token = await community.first_refresh_token()
        community.simulator.misbehave(Fault(path="/oauth/", body={"access_token": "a b", "refresh_token": token}))
        with pytest.raises(InvalidAnswer):
            await ask(adapter)
        assert (tmp_path / "refresh").read_text() == token
        community.simulator.misbehave()
        assert await ask(adapter) == "pending_outgoing"

    clock.run(main())


def test_a_token_that_another_process_has_just_used_up_is_no_refusal(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        adapter = community.connect(await with_refresh_token(tmp_path, community))
        community.simulator.misbehave(
            Fault(path="/oauth/", delay=1.0, times=1, status=400, body={"error": "invalid_grant"})
        )
        asking = asyncio.create_task(ask(adapter))
        await asyncio.sleep(0.5)
        (tmp_path / "refresh").write_text(await community.first_refresh_token())
        assert await asking == "pending_outgoing"
        assert len(community.forms) == 2

    clock.run(main())


def test_a_folder_that_became_read_only_is_told_at_each_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        told: list[str] = []
        community = Community()
        adapter = community.connect(await with_refresh_token(tmp_path, community), told.append)
        monkeypatch.setattr(os, "access", lambda *_: False)
        await ask(adapter)
        assert told == ["refresh-token-not-kept"]
        (tmp_path / "refresh").unlink()
        community.simulator.misbehave(Fault(expire_sessions=True))
        assert await ask(adapter) == "pending_outgoing"
        assert told[1:] == ["refresh-token-unreadable", "refresh-token-not-kept"]

    clock.run(main())


def test_the_file_stays_its_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that root runs beside the service, say."""

    async def main() -> None:
        given: list[tuple[int, int]] = []
        community = Community()
        settings = await with_refresh_token(tmp_path, community)
        owner = (tmp_path / "refresh").stat()
        monkeypatch.setattr(os, "fchown", lambda _file, user, group: given.append((user, group)))
        await ask(community.connect(settings))
        assert given == []
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(os, "getegid", lambda: owner.st_gid + 1)
        await ask(community.connect(settings))
        assert given == [(owner.st_uid, owner.st_gid)]

    clock.run(main())


def test_two_adapters_with_one_token_use_it_up_in_turns(tmp_path: Path) -> None:
    """As two generations have while one is exchanged for the other."""

    async def main() -> None:
        community = Community()
        settings = await with_refresh_token(tmp_path, community)
        tokens = RefreshTokens()
        adapters = [community.connect(settings, tokens=tokens) for _ in range(2)]
        community.simulator.misbehave(Fault(path="/oauth/", delay=0.5))
        assert set(await asyncio.gather(*map(ask, adapters))) == {"pending_outgoing"}
        assert len({form["refresh_token"] for form in community.forms}) == 2

    clock.run(main())


def test_other_keys_of_the_credentials_may_change_while_the_token_lives_in_memory(tmp_path: Path) -> None:
    tokens = RefreshTokens()

    def credentials(**variables: str) -> Any:
        found = configured(tmp_path, "", **{f"CREDENTIALS__{key}": text for key, text in variables.items()})
        return found.platforms["club"].credentials.as_first_configured(tokens)

    first = credentials(REFRESH_TOKEN="first")
    tokens.in_use(first.refresh_token).replace("second")
    assert credentials(REFRESH_TOKEN="second") == first
    other_client = credentials(REFRESH_TOKEN="second", CLIENT_ID="x")
    assert (other_client.client_id, other_client.refresh_token.reveal()) == ("x", "first")
    assert tokens.in_use(other_client.refresh_token).reveal() == "second"
    assert tokens.in_use(credentials(REFRESH_TOKEN="third").refresh_token).reveal() == "third"
    assert tokens.in_use(first.refresh_token).reveal() == "second"
    (tmp_path / "password").write_text("p")
    by_password: Any = configured(tmp_path, BY_PASSWORD).platforms["club"].credentials
    assert by_password.as_first_configured(tokens) is by_password
