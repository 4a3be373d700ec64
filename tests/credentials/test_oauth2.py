"""An OAuth client of one user: by a refresh token that is replaced, or by username and password."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.contract import InvalidAnswer, OwnCredentialRefused, PlatformError, ServerError
from adapters.refresh_token import RefreshTokens
from adapters.secret import Secret
from adapters.selfcommunity.simulator import SECRET
from adapters.sessions import PAUSE
from adapters.simulation.faults import Fault
from gateway.config.loader import load
from tests import clock
from tests.clock import virtual
from tests.credentials.oauth import (
    BY_REFRESH,
    CLIENT,
    STATUS,
    TOKEN,
    Community,
    ask,
    configured,
    with_password,
    with_refresh_token,
)


def test_by_password(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        adapter = community.connect(with_password(tmp_path))
        assert await ask(adapter) == "pending_outgoing"
        assert community.forms == [CLIENT]
        assert community.safe == [True]
        community.simulator.misbehave(Fault(expire_sessions=True))
        assert await ask(adapter) == "pending_outgoing"
        assert community.simulator.calls.by_path == {TOKEN: 2, STATUS: 3}

    clock.run(main())


def test_by_refresh_token(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        settings = await with_refresh_token(tmp_path, community)
        first = (tmp_path / "refresh").read_text()
        assert await ask(community.connect(settings)) == "pending_outgoing"
        (form,) = community.forms
        assert form == {
            "grant_type": "refresh_token",
            "client_id": "demo",
            "client_secret": SECRET,
            "refresh_token": first,
        }
        assert community.safe == [False]

    clock.run(main())


def test_a_thousand_lookups_that_meet_an_expired_token_are_one_refresh(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        adapter = community.connect(await with_refresh_token(tmp_path, community))
        await ask(adapter)
        community.simulator.misbehave(Fault(expire_sessions=True, delay=0.1))
        community.simulator.calls.reset()
        assert set(await asyncio.gather(*(ask(adapter) for _ in range(1000)))) == {"pending_outgoing"}
        assert community.simulator.calls.by_path == {TOKEN: 1, STATUS: 2000}

    clock.run(main())


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, {"error": "invalid_grant"}), (401, {"error": "invalid_client"}), (401, "<html>"), (403, {"detail": "no"})],
)
def test_a_refused_grant_is_our_own_credential_and_pauses(tmp_path: Path, status: int, body: Any) -> None:
    async def main() -> None:
        community = Community()
        adapter = community.connect(with_password(tmp_path))
        community.simulator.misbehave(Fault(path="/oauth/", status=status, body=body))
        for _ in range(2):
            with pytest.raises(OwnCredentialRefused):
                await ask(adapter)
        assert community.simulator.calls.by_path == {TOKEN: 1}
        community.simulator.misbehave()
        await asyncio.sleep(PAUSE)
        assert await ask(adapter) == "pending_outgoing"

    clock.run(main())


def test_a_firewall_in_front_of_the_grant_says_nothing_of_the_credential(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        adapter = community.connect(with_password(tmp_path))
        community.simulator.misbehave(Fault(path="/oauth/", status=403, body="<html>"))
        for _ in range(2):
            with pytest.raises(InvalidAnswer, match="403"):
                await ask(adapter)
        assert community.simulator.calls.by_path == {TOKEN: 1}

    clock.run(main())


def test_a_wrong_password_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        with pytest.raises(OwnCredentialRefused, match="the client or its user"):
            await ask(community.connect(with_password(tmp_path, "wrong")))

    clock.run(main())


def test_a_used_up_refresh_token_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        (tmp_path / "refresh").write_text("used-up")
        with pytest.raises(OwnCredentialRefused, match="the client or its refresh token"):
            await ask(community.connect(configured(tmp_path, BY_REFRESH)))

    clock.run(main())


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(path="/oauth/", status=400, body="<html>"), InvalidAnswer),
        (Fault(path="/oauth/", status=404), InvalidAnswer),
        (Fault(path="/oauth/", status=302), InvalidAnswer),
        (Fault(path="/oauth/", status=500), ServerError),
        (Fault(path="/oauth/", body={}), InvalidAnswer),
        (Fault(path="/oauth/", body={"access_token": "a b"}), InvalidAnswer),
        (Fault(path="/oauth/", body={"access_token": "x" * 8193}), InvalidAnswer),
    ],
)
def test_a_grant_that_fails_otherwise_does_not_pause(
    tmp_path: Path, fault: Fault, error: type[PlatformError]
) -> None:
    async def main() -> None:
        community = Community()
        adapter = community.connect(with_password(tmp_path))
        community.simulator.misbehave(fault)
        with pytest.raises(error):
            await ask(adapter)
        community.simulator.misbehave()
        assert await ask(adapter) == "pending_outgoing"

    clock.run(main())


def test_check_does_not_use_up_a_refresh_token_that_it_can_not_write_back(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        token = await community.first_refresh_token()
        community.simulator.calls.reset()
        settings = configured(tmp_path, "", CREDENTIALS__REFRESH_TOKEN=token)
        assert await community.connect(settings).identify() is None
        assert community.simulator.calls.logins == 0

    clock.run(main())


@virtual
async def test_a_refresh_under_way_comes_to_its_end_before_the_adapter_closes() -> None:
    community = Community()
    token = await community.first_refresh_token()
    settings = load(
        None,
        {
            f"GATEWAY_PLATFORMS__CLUB__{key}": text
            for key, text in {
                "ADAPTER": "selfcommunity",
                "BASE_URL": "http://club.example",
                "CREDENTIALS__MODE": "oauth2",
                "CREDENTIALS__CLIENT_ID": "demo",
                "CREDENTIALS__CLIENT_SECRET": SECRET,
                "CREDENTIALS__REFRESH_TOKEN": token,
            }.items()
        },
    )
    community.simulator.misbehave(Fault(path="/oauth/", delay=1.0))
    tokens = RefreshTokens()
    adapter = community.connect(settings, tokens=tokens)
    asking = asyncio.create_task(ask(adapter))
    await asyncio.sleep(0.5)
    asking.cancel()
    await adapter.aclose()
    assert tokens.in_use(Secret(token)).reveal() not in {"", token}
