"""The JWTs that the simulated community takes: how long, how often, and which it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest

from adapters.selfcommunity.simulator import SECRET
from tests.simulation.clients import ME, community_jwt, set_faults

EXPIRE = {"expire_sessions": True}


async def ask(community: httpx.AsyncClient, authorization: str) -> int:
    """The status of the answer."""
    answer = await community.get(ME["selfcommunity"], headers={"Authorization": authorization})
    return answer.status_code


async def ask_with(community: httpx.AsyncClient, token: str) -> int:
    return await ask(community, f"Bearer {token}")


async def test_one_token_is_good_for_many_calls(community: httpx.AsyncClient) -> None:
    token = community_jwt()
    assert [await ask_with(community, token) for _ in range(3)] == [200, 200, 200]


async def test_an_expired_one_stays_refused(community: httpx.AsyncClient) -> None:
    token = community_jwt()
    await ask_with(community, token)
    await set_faults(community, EXPIRE)
    await set_faults(community)
    assert [await ask_with(community, token) for _ in range(2)] == [401, 401]


async def test_a_new_one_is_taken_when_the_last_has_expired(community: httpx.AsyncClient) -> None:
    await ask_with(community, community_jwt())
    await set_faults(community, EXPIRE)
    assert await ask_with(community, community_jwt()) == 200


async def test_the_second_token_of_a_jti_is_refused(community: httpx.AsyncClient) -> None:
    await ask_with(community, community_jwt(jti="one", user_id=101))
    assert await ask_with(community, community_jwt(jti="one", user_id=102)) == 401


async def test_the_first_token_of_a_jti_stays_good(community: httpx.AsyncClient) -> None:
    first = community_jwt(jti="one", user_id=101)
    await ask_with(community, first)
    await ask_with(community, community_jwt(jti="one", user_id=102))
    assert await ask_with(community, first) == 200


async def test_a_jti_stays_used_when_its_token_has_expired(community: httpx.AsyncClient) -> None:
    await ask_with(community, community_jwt(jti="one", user_id=101))
    await set_faults(community, EXPIRE)
    assert await ask_with(community, community_jwt(jti="one", user_id=102)) == 401


async def test_a_token_with_another_signature_uses_up_no_jti(community: httpx.AsyncClient) -> None:
    await ask_with(community, community_jwt("another-secret-of-at-least-32-bytes", jti="one"))
    assert await ask_with(community, community_jwt(jti="one")) == 200


def in_seconds(number: int) -> int:
    return int(time.time()) + number


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param(lambda: {"token_type": None}, id="says not what it is"),
        pytest.param(lambda: {"token_type": "Access"}, id="is of a type in another case"),
        pytest.param(lambda: {"exp": None}, id="lives forever"),
        pytest.param(lambda: {"exp": in_seconds(-1)}, id="is just over"),
        pytest.param(lambda: {"iat": in_seconds(600)}, id="comes from the future"),
        pytest.param(lambda: {"nbf": in_seconds(600)}, id="is not valid yet"),
        pytest.param(lambda: {"nbf": str(in_seconds(-5))}, id="is valid from a text on"),
        pytest.param(lambda: {"user_id": 101.0}, id="is a fraction's"),
        pytest.param(lambda: {"user_id": -101}, id="is of a negative user"),
    ],
)
async def test_a_token_is_refused_that(community: httpx.AsyncClient, claims: Callable[[], dict[str, Any]]) -> None:
    """Made when it is needed: a time that was noted when the tests were collected would grow old."""
    assert await ask_with(community, community_jwt(**claims())) == 401


@pytest.mark.filterwarnings("ignore:The HMAC key is")
@pytest.mark.parametrize(("key", "algorithm"), [(SECRET, "HS512"), ("", "none")])
async def test_a_token_is_refused_that_is_signed_otherwise(
    community: httpx.AsyncClient, key: str, algorithm: str
) -> None:
    claims = jwt.decode(community_jwt(), options={"verify_signature": False})
    assert await ask_with(community, jwt.encode(claims, key, algorithm=algorithm)) == 401


@pytest.mark.parametrize("scheme", ["bearer ", "Token ", ""])
async def test_a_token_is_refused_without_its_scheme(community: httpx.AsyncClient, scheme: str) -> None:
    assert await ask(community, scheme + community_jwt()) == 401
