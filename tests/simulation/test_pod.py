"""The simulated pod, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import jwt
import pytest

from tests.simulation.clients import KEY, ME, STATUS, pod_jwt, set_faults


@pytest.mark.parametrize(
    ("user", "expected"),
    [(101, "ACCEPTED"), (102, "PENDING_INCOMING"), (103, "PENDING_OUTGOING"), (104, "REJECTED"), (1999, "ACCEPTED")],
)
async def test_a_pods_seeds(pod: httpx.AsyncClient, user: int, expected: str) -> None:
    answer = await pod.get(STATUS["symphony"].format(user))
    assert answer.json()["status"] == expected


async def test_a_pods_fields_come_in_their_order_or_not_at_all(pod: httpx.AsyncClient) -> None:
    texts = [(await pod.get(STATUS["symphony"].format(user))).text for user in (103, 106)]
    assert texts == [
        '{"userId":103,"status":"PENDING_OUTGOING","firstRequestedAt":1470018073812,'
        '"updatedAt":1471018076255,"requestCounter":1}',
        '{"userId":106,"status":"ACCEPTED"}',
    ]


@pytest.mark.parametrize("user", [1, 105, 404404])
async def test_a_pods_404_says_403(pod: httpx.AsyncClient, user: int) -> None:
    answer = await pod.get(STATUS["symphony"].format(user))
    assert (answer.status_code, answer.json()["code"]) == (404, 403)


@pytest.mark.parametrize("user", ["abc", "-1", "\u00b2"])
async def test_a_pod_refuses_what_is_no_user_id(pod: httpx.AsyncClient, user: str) -> None:
    assert (await pod.get(STATUS["symphony"].format(user))).status_code == 400


@pytest.mark.parametrize(("path", "name"), [("/login", "sessionToken"), ("/relay", "keyManagerToken")])
async def test_a_pod_takes_any_key(pod: httpx.AsyncClient, path: str, name: str) -> None:
    answer = (await pod.post(f"{path}/pubkey/authenticate", json={"token": pod_jwt()})).json()
    assert list(answer) == ["name", "token", "authorizationToken"]
    assert answer["name"] == name
    assert answer["authorizationToken"].startswith("Bearer ")
    counted = (await pod.get("/_simulator/calls")).json()
    assert (counted["calls"], counted["logins"]) == (0, 1)


async def test_a_pods_session_lasts_until_it_expires(pod: httpx.AsyncClient) -> None:
    token = (await pod.post("/login/pubkey/authenticate", json={"token": pod_jwt(sub="demo")})).json()["token"]
    assert (await pod.get(ME["symphony"], headers={"sessionToken": token})).json()["id"] == 1
    await set_faults(pod, {"expire_sessions": True})
    assert (await pod.get(ME["symphony"], headers={"sessionToken": token})).status_code == 401


def in_seconds(number: int) -> int:
    return int(time.time()) + number


@pytest.mark.parametrize(
    "login",
    [
        pytest.param(lambda: {"token": pod_jwt(exp=in_seconds(400))}, id="lives too long"),
        pytest.param(lambda: {"token": pod_jwt(exp=in_seconds(-400))}, id="is over"),
        pytest.param(lambda: {"token": pod_jwt(exp=str(in_seconds(10)))}, id="lives for a text"),
        pytest.param(lambda: {"token": pod_jwt(iat=in_seconds(5))}, id="was issued in the future"),
        pytest.param(lambda: {"token": pod_jwt(nbf=in_seconds(5))}, id="is not valid yet"),
        pytest.param(lambda: {"token": pod_jwt(iat=str(in_seconds(-5)))}, id="was issued at a text"),
        pytest.param(lambda: {"token": pod_jwt(sub="nobody")}, id="is nobody's"),
        pytest.param(lambda: {"token": pod_jwt(algorithm="RS256")}, id="is signed otherwise"),
        pytest.param(lambda: {"token": jwt.encode({"sub": "demo"}, KEY, algorithm="RS512")}, id="lives forever"),
        pytest.param(
            lambda: {"token": jwt.encode({"exp": in_seconds(10)}, KEY, algorithm="RS512")}, id="says not whose"
        ),
        pytest.param(lambda: {"token": "x"}, id="is none"),
        pytest.param(lambda: {"token": 1}, id="is a number"),
        pytest.param(dict, id="is missing"),
        pytest.param(list, id="is a list"),
    ],
)
async def test_a_pod_refuses_a_login_that(pod: httpx.AsyncClient, login: Callable[[], object]) -> None:
    """Made when it is needed: a token that was made when the tests were collected would grow old."""
    assert (await pod.post("/login/pubkey/authenticate", json=login())).status_code == 401
