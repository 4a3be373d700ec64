"""Tokens that the gateway signs with a community's secret."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import jwt
import pytest

from adapters import connect
from adapters.contract import Adapter, OwnCredentialRefused, PlatformError, Viewer
from adapters.selfcommunity.simulator import SECRET
from adapters.settings import ViewerSource
from adapters.simulation import simulator
from adapters.simulation.faults import Fault
from gateway.config.converter import from_tables
from tests.clock import virtual
from tests.gateways import tables
from tests.wire import Bounded, InProcess

CALLER = {"name": "web", "key_sha256": "0" * 64}


class Community:
    """The simulated community, an adapter that signs for it, and the tokens that it was sent."""

    def __init__(self, secret: str = SECRET, **more: Any) -> None:
        self.simulator = simulator("selfcommunity")
        self.tokens: list[str] = []
        credentials = {"mode": "jwt", "secret": secret} | more
        settings = from_tables(tables({"club": credentials}, callers=[CALLER])).platforms["club"]
        wire = Bounded(httpx.MockTransport(self._note))
        self.adapter: Adapter = connect("club", settings, wire, timeout=2.0)

    async def ask(self, viewer: Viewer) -> str:
        found = (await self.adapter.read(viewer, (1,)))[1]
        if isinstance(found, PlatformError):
            raise found
        return found.status

    def claims(self) -> list[dict[str, Any]]:
        return [jwt.decode(token, SECRET, algorithms=["HS256"]) for token in self.tokens]

    async def _note(self, request: httpx.Request) -> httpx.Response:
        self.tokens.append(request.headers["authorization"].removeprefix("Bearer "))
        return await InProcess(self.simulator).handle_async_request(request)


@virtual
async def test_the_claims_are_those_that_a_community_wants() -> None:
    community = Community()
    await community.ask(Viewer.named("club", 103))
    (claims,) = community.claims()
    assert (claims["user_id"], claims["token_type"]) == (103, "access")
    assert isinstance(claims["user_id"], int)
    assert claims["exp"] - claims["iat"] == 360
    assert all(isinstance(claims[name], int) for name in ("iat", "exp"))
    assert claims["iat"] < 10**10, "seconds, not milliseconds"
    assert len(claims["jti"]) >= 16


@virtual
async def test_a_token_is_used_until_it_is_refused() -> None:
    community = Community()
    viewer = Viewer.named("club", 103)
    for _ in range(3):
        await community.ask(viewer)
    community.simulator.misbehave(Fault(expire_sessions=True))
    await community.ask(viewer)
    assert len(community.tokens) == 5
    assert len(set(community.tokens)) == 2


@virtual
async def test_every_token_has_a_jti_of_its_own() -> None:
    community = Community()
    for number in range(100):
        await community.ask(Viewer.named("club", 1000 + number))
    community.simulator.misbehave(Fault(expire_sessions=True))
    for number in range(100):
        await community.ask(Viewer.named("club", 1000 + number))
    assert len({claims["jti"] for claims in community.claims()}) == 200


@virtual
async def test_a_thousand_lookups_that_meet_an_expired_token_are_one_new_token_per_viewer() -> None:
    community = Community()
    viewers = [Viewer.named("club", user) for user in (101, 102, 103)]
    await asyncio.gather(*(community.ask(viewer) for viewer in viewers))
    community.simulator.misbehave(Fault(expire_sessions=True, delay=0.1))
    await asyncio.gather(*(community.ask(viewers[number % 3]) for number in range(1000)))
    assert len(set(community.tokens)) == 6
    assert community.simulator.calls.logins == 0


@virtual
async def test_with_a_user_of_its_own_it_is_that_user() -> None:
    community = Community(user_id=103)
    assert community.adapter.viewer_source is ViewerSource.OWN
    assert await community.ask(Viewer.own("club")) == "pending_incoming"
    identity = await community.adapter.identify()
    assert identity is not None
    assert (identity.name, identity.user_id) == ("user-103", 103)


@virtual
async def test_a_named_viewers_connections_are_listed_without_asking_who_that_is() -> None:
    community = Community()
    page = await community.adapter.list(Viewer.named("club", 101), ["connected"], None, 10)  # type: ignore[list-item]
    assert [entry.user_id for entry in page.entries] == [1]
    assert community.simulator.calls.by_path == {"GET /api/v2/user/{id}/connections/": 1}


@virtual
async def test_a_wrong_secret_is_our_own_credential() -> None:
    for secret in ("x" * 32, "short"):
        community = Community(secret)
        with pytest.raises(OwnCredentialRefused, match="is the credential right, and is its user there"):
            await community.ask(Viewer.named("club", 103))
        assert community.simulator.calls.calls == 2


@virtual
async def test_the_largest_user_id_is_spoken_for_as_it_is() -> None:
    community = Community()
    with pytest.raises(OwnCredentialRefused):
        await community.ask(Viewer.named("club", 2**63 - 1))
    assert {claims["user_id"] for claims in community.claims()} == {2**63 - 1}
