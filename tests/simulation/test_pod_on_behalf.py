"""The simulated pod's logins of apps, and of the users on whose behalf they speak."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from adapters.simulation import private_key, simulator
from tests.simulation.clients import KEY, ME, pod_jwt, set_faults

APP = "/login/pubkey/app/authenticate"
BY_ID = "/login/pubkey/app/user/{}/authenticate"
BY_NAME = "/login/pubkey/app/username/{}/authenticate"
USER = [BY_ID.format(103), BY_NAME.format("user-103")]


async def token_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200
    return str(answer.json()["token"])


async def app_token(pod: httpx.AsyncClient) -> str:
    return await token_of(await pod.post(APP, json={"token": pod_jwt(sub="app")}))


async def on_behalf(pod: httpx.AsyncClient, path: str, token: str | None = None) -> httpx.Response:
    return await pod.post(path, headers={"sessionToken": token or await app_token(pod)})


@pytest.mark.parametrize("app", ["app", "demo", "nobody-knows-it"])
async def test_any_app_logs_in(pod: httpx.AsyncClient, app: str) -> None:
    answer = (await pod.post(APP, json={"token": pod_jwt(sub=app)})).json()
    assert list(answer) == ["name", "token", "authorizationToken"]
    assert answer["name"] == "sessionToken"
    assert answer["authorizationToken"] == f"Bearer {answer['token']}"


@pytest.mark.parametrize(
    "login",
    [
        pytest.param(lambda: {"token": pod_jwt(exp=int(time.time()) - 1)}, id="is over"),
        pytest.param(lambda: {"token": pod_jwt(exp=int(time.time()) + 400)}, id="lives too long"),
        pytest.param(lambda: {"token": pod_jwt(algorithm="RS256")}, id="is signed otherwise"),
        pytest.param(lambda: {"token": "x"}, id="is none"),
        pytest.param(dict, id="is missing"),
    ],
)
async def test_an_app_is_refused_with_a_login_that(pod: httpx.AsyncClient, login: Callable[[], object]) -> None:
    """Made when it is needed: a token that was made when the tests were collected would grow old."""
    assert (await pod.post(APP, json=login())).status_code == 401


@pytest.mark.parametrize("path", USER, ids=["by id", "by name"])
async def test_an_app_speaks_for_a_user(pod: httpx.AsyncClient, path: str) -> None:
    answer = await on_behalf(pod, path)
    assert answer.json()["name"] == "sessionToken"
    found = (await pod.get(ME["symphony"], headers={"sessionToken": await token_of(answer)})).json()
    assert (found["id"], found["username"]) == (103, "user-103")


@pytest.mark.parametrize("path", USER, ids=["by id", "by name"])
async def test_without_a_token_it_speaks_for_nobody(pod: httpx.AsyncClient, path: str) -> None:
    del pod.headers["sessionToken"]
    assert (await pod.post(path)).status_code == 401


@pytest.mark.parametrize("path", USER, ids=["by id", "by name"])
@pytest.mark.parametrize("token", ["x", "demo"], ids=["an unknown one", "the user demo's"])
async def test_the_pod_speaks_for_nobody_with_a_token_that_is(pod: httpx.AsyncClient, path: str, token: str) -> None:
    assert (await on_behalf(pod, path, token)).status_code == 401


@pytest.mark.parametrize("path", USER, ids=["by id", "by name"])
async def test_who_is_spoken_for_can_speak_for_nobody(pod: httpx.AsyncClient, path: str) -> None:
    token = await token_of(await on_behalf(pod, BY_ID.format(103)))
    assert (await on_behalf(pod, path, token)).status_code == 401


@pytest.mark.parametrize("path", USER, ids=["by id", "by name"])
async def test_an_apps_session_expires_with_the_others(pod: httpx.AsyncClient, path: str) -> None:
    token = await app_token(pod)
    await set_faults(pod, {"expire_sessions": True})
    assert (await on_behalf(pod, path, token)).status_code == 401


async def test_the_session_of_who_is_spoken_for_expires_as_well(pod: httpx.AsyncClient) -> None:
    token = await token_of(await on_behalf(pod, BY_ID.format(103)))
    await set_faults(pod, {"expire_sessions": True})
    assert (await pod.get(ME["symphony"], headers={"sessionToken": token})).status_code == 401


@pytest.mark.parametrize("path", [BY_ID.format(404404), BY_NAME.format("nobody")], ids=["by id", "by name"])
async def test_an_app_can_not_speak_for_a_user_who_is_not_there(pod: httpx.AsyncClient, path: str) -> None:
    answer = await on_behalf(pod, path)
    assert (answer.status_code, answer.json()["code"]) == (403, 403)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", ME["symphony"], None),
        ("GET", "/pod/v1/connection/user/101/info", None),
        ("GET", "/pod/v1/connection/list", None),
        ("POST", "/pod/v1/connection/create", {"userId": 105}),
        ("POST", "/pod/v1/connection/accept", {"userId": 102}),
        ("POST", "/pod/v1/connection/reject", {"userId": 102}),
        ("POST", "/pod/v1/connection/user/101/remove", None),
    ],
)
async def test_an_apps_own_token_is_good_for_nothing_else(
    pod: httpx.AsyncClient, method: str, path: str, body: Any
) -> None:
    answer = await pod.request(method, path, json=body, headers={"sessionToken": await app_token(pod)})
    assert answer.status_code == 401


async def test_all_three_are_logins_and_no_calls(pod: httpx.AsyncClient) -> None:
    token = await app_token(pod)
    for path in USER:
        await on_behalf(pod, path, token)
    assert (await pod.get("/_simulator/calls")).json() == {
        "calls": 0,
        "logins": 3,
        "by_path": {f"POST {path}": 1 for path in (APP, BY_ID.format("{id}"), BY_NAME.format("user-103"))},
    }


@pytest.fixture
async def strict() -> AsyncIterator[httpx.AsyncClient]:
    """A pod that knows one key."""
    public = load_pem_private_key(KEY.encode(), password=None).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    transport = httpx.ASGITransport(simulator("symphony", public_key=pem))
    async with httpx.AsyncClient(transport=transport, base_url="http://pod.example") as client:
        yield client


async def test_with_a_public_key_an_app_logs_in_with_its_private_one(strict: httpx.AsyncClient) -> None:
    assert (await on_behalf(strict, BY_ID.format(103))).status_code == 200


async def test_with_a_public_key_an_app_is_refused_with_any_other(strict: httpx.AsyncClient) -> None:
    answer = await strict.post(APP, json={"token": pod_jwt(key=private_key())})
    assert answer.status_code == 401
