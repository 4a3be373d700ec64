"""The simulated community, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from adapters.selfcommunity.simulator import SECRET
from tests.simulation.clients import ME, STATUS, community_jwt, set_faults

CLIENT = {"client_id": "demo", "client_secret": SECRET}
PASSWORD = {"grant_type": "password", "username": "demo", "password": "demo"}


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (101, "connected"),
        (102, "received_connection_request"),
        (103, "sent_connection_request"),
        (104, None),
        (105, None),
        (1000, "connected"),
    ],
)
async def test_a_communitys_seeds(community: httpx.AsyncClient, user: int, expected: str | None) -> None:
    answer = await community.get(STATUS["selfcommunity"].format(user))
    assert answer.json() == {"connection_status": expected}


@pytest.mark.parametrize("path", ["/api/v2/user/101/connection_status", "/api/v2/user/me"])
async def test_a_community_redirects_without_the_last_slash(community: httpx.AsyncClient, path: str) -> None:
    answer = await community.get(path)
    assert (answer.status_code, answer.headers["location"]) == (301, path + "/")


@pytest.mark.parametrize(("apply", "status"), [(True, 400), (False, 200)])
async def test_a_faulted_call_takes_effect_only_where_it_is_applied(
    community: httpx.AsyncClient, apply: bool, status: int
) -> None:
    first = (await community.post("/oauth/token/", data=CLIENT | PASSWORD)).json()
    refresh = CLIENT | {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    await set_faults(community, {"times": 1, "status": 500, "delay": 0.01, "apply": apply})
    assert (await community.post("/oauth/token/", data=refresh)).status_code == 500
    assert (await community.post("/oauth/token/", data=refresh)).status_code == status


async def me(community: httpx.AsyncClient, token: str) -> httpx.Response:
    return await community.get(ME["selfcommunity"], headers={"Authorization": f"Bearer {token}"})


async def test_a_community_takes_a_jwt_for_any_user(community: httpx.AsyncClient) -> None:
    assert (await me(community, community_jwt())).json() == {"id": 101, "username": "user-101"}


@pytest.mark.parametrize(
    "claims",
    [
        *[
            {"user_id": 404404},
            {"user_id": None},
            {"user_id": [1]},
            {"user_id": "101"},
            {"token_type": "refresh"},
            {"jti": None},
            {"iat": None},
            {"exp": 1},
        ],
    ],
)
async def test_a_community_refuses_any_other_jwt(community: httpx.AsyncClient, claims: dict[str, Any]) -> None:
    assert (await me(community, community_jwt(**claims))).status_code == 401
    assert (await me(community, community_jwt("another-secret-of-at-least-32-bytes"))).status_code == 401


async def test_a_communitys_password_and_refresh_grants(community: httpx.AsyncClient) -> None:
    first = (await community.post("/oauth/token/", data=CLIENT | PASSWORD)).json()
    assert list(first) == ["access_token", "expires_in", "token_type", "scope", "refresh_token"]
    assert (await me(community, first["access_token"])).json()["id"] == 1
    refresh = CLIENT | {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = (await community.post("/oauth/token/", data=refresh)).json()
    assert (await me(community, second["access_token"])).status_code == 200
    assert (await community.post("/oauth/token/", data=refresh)).json() == {"error": "invalid_grant"}
    await set_faults(community, {"expire_sessions": True})
    assert (await me(community, second["access_token"])).status_code == 401


@pytest.mark.parametrize(
    ("form", "status"),
    [
        (PASSWORD, 401),
        (PASSWORD | CLIENT | {"client_secret": "x"}, 401),
        (PASSWORD | CLIENT | {"password": "x"}, 400),
        (CLIENT | {"grant_type": "refresh_token", "refresh_token": "x"}, 400),
        (CLIENT, 400),
        ({"\xff": "\xff"}, 401),
    ],
)
async def test_a_community_refuses_any_other_grant(
    community: httpx.AsyncClient, form: dict[str, str], status: int
) -> None:
    assert (await community.post("/oauth/token/", data=form)).status_code == status
