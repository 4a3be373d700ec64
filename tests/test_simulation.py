"""The simulators as their users have them: over HTTP, on loopback."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jwt
import pytest

from adapters.selfcommunity.simulator import SECRET
from adapters.simulation import serving, simulator
from adapters.simulation.faults import Fault
from tests.gateways import KEY

TOKEN = {"symphony": {"sessionToken": "demo"}, "selfcommunity": {"Authorization": "Bearer demo"}}
STATUS = {
    "symphony": "/pod/v1/connection/user/{}/info",
    "selfcommunity": "/api/v2/user/{}/connection_status/",
}
ME = {"symphony": "/pod/v2/sessioninfo", "selfcommunity": "/api/v2/user/me/"}


@pytest.fixture(params=TOKEN)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def client(adapter: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(simulator(adapter)) as url, httpx.AsyncClient(base_url=url, headers=TOKEN[adapter]) as client:
        yield client


@pytest.fixture
async def pod() -> AsyncIterator[httpx.AsyncClient]:
    async with serving(simulator("symphony")) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


@pytest.fixture
async def community() -> AsyncIterator[httpx.AsyncClient]:
    async with serving(simulator("selfcommunity")) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


@pytest.mark.parametrize(
    ("user", "expected"),
    [(101, "ACCEPTED"), (102, "PENDING_INCOMING"), (103, "PENDING_OUTGOING"), (104, "REJECTED"), (1999, "ACCEPTED")],
)
async def test_a_pods_seeds(pod: httpx.AsyncClient, user: int, expected: str) -> None:
    answer = await pod.get(STATUS["symphony"].format(user), headers=TOKEN["symphony"])
    assert answer.json()["status"] == expected


async def test_a_pods_fields_come_in_their_order_or_not_at_all(pod: httpx.AsyncClient) -> None:
    texts = [(await pod.get(STATUS["symphony"].format(user), headers=TOKEN["symphony"])).text for user in (103, 106)]
    assert texts == [
        '{"userId":103,"status":"PENDING_OUTGOING","firstRequestedAt":1470018073812,'
        '"updatedAt":1471018076255,"requestCounter":1}',
        '{"userId":106,"status":"ACCEPTED"}',
    ]


@pytest.mark.parametrize("user", [1, 105, 404404])
async def test_a_pods_404_says_403(pod: httpx.AsyncClient, user: int) -> None:
    answer = await pod.get(STATUS["symphony"].format(user), headers=TOKEN["symphony"])
    assert (answer.status_code, answer.json()["code"]) == (404, 403)


@pytest.mark.parametrize("user", ["abc", "-1", "\u00b2"])
async def test_a_pod_refuses_what_is_no_user_id(pod: httpx.AsyncClient, user: str) -> None:
    assert (await pod.get(STATUS["symphony"].format(user), headers=TOKEN["symphony"])).status_code == 400


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
    answer = await community.get(STATUS["selfcommunity"].format(user), headers=TOKEN["selfcommunity"])
    assert answer.json() == {"connection_status": expected}


@pytest.mark.parametrize("path", ["/api/v2/user/101/connection_status", "/api/v2/user/me"])
async def test_a_community_redirects_without_the_last_slash(community: httpx.AsyncClient, path: str) -> None:
    answer = await community.get(path, headers=TOKEN["selfcommunity"])
    assert (answer.status_code, answer.headers["location"]) == (301, path + "/")


async def test_nobody_is_nobody(client: httpx.AsyncClient, adapter: str) -> None:
    assert (await client.get(STATUS[adapter].format(404404))).status_code == 404


@pytest.mark.parametrize("path", ["/", "/nowhere/", "/_simulator/", "/_simulator/nowhere"])
async def test_other_paths_are_unknown(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()


async def test_without_a_token_nobody_is_told(client: httpx.AsyncClient, adapter: str) -> None:
    for headers in ({"sessionToken": "x", "Authorization": "Bearer x"}, {"sessionToken": "", "Authorization": "x"}):
        answer = await client.get(STATUS[adapter].format(101), headers=headers)
        assert answer.status_code == 401


async def test_viewer_1_is_demo(client: httpx.AsyncClient, adapter: str) -> None:
    me = (await client.get(ME[adapter])).json()
    assert (me["id"], me["username"]) == (1, "demo")


async def test_setting_a_side_sets_its_mirror(client: httpx.AsyncClient, adapter: str) -> None:
    ours, theirs = {
        "symphony": ("PENDING_OUTGOING", "PENDING_INCOMING"),
        "selfcommunity": ("sent_connection_request", "received_connection_request"),
    }[adapter]
    answer = await client.put("/_simulator/connections/5000/1", json={"status": theirs})
    assert answer.status_code == 204
    assert ours in (await client.get(STATUS[adapter].format(5000))).text


async def test_a_connection_can_be_taken_away(client: httpx.AsyncClient, adapter: str) -> None:
    await client.put("/_simulator/connections/1/101", json={"status": None})
    answer = await client.get(STATUS[adapter].format(101))
    assert "ACCEPTED" not in answer.text
    assert '"connected"' not in answer.text


@pytest.mark.parametrize(
    "body", ['{"status": "friends"}', '{"status": 1}', "{}", "", "[]", '{"status": null, "x": 1}']
)
async def test_a_word_that_the_platform_does_not_have_is_refused(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.put("/_simulator/connections/1/101", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_what_was_refused_made_nobody_known(client: httpx.AsyncClient, adapter: str) -> None:
    await client.put("/_simulator/connections/1/404404", json={"status": "friends"})
    assert (await client.get(STATUS[adapter].format(404404))).status_code == 404


@pytest.mark.parametrize("user", ["1" * 5000, "0", "1.5"])
async def test_what_is_no_user_is_refused(client: httpx.AsyncClient, adapter: str, user: str) -> None:
    assert (await client.get(STATUS[adapter].format(user))).status_code in {400, 404}


@pytest.mark.parametrize("header", ['{"retry_after": "1\\r\\nX: y"}', '{"content_type": "\\n"}', "[" * 100_000])
async def test_a_fault_that_could_not_be_sent_is_refused(client: httpx.AsyncClient, header: str) -> None:
    assert (await client.put("/_simulator/faults", content=header)).status_code == 400


@pytest.mark.parametrize("body", ["", "{", '{"statsu": 500}', '{"times": 0}', '{"delay": -1}', '{"status": 99}', "3"])
async def test_a_fault_that_is_none_is_refused(client: httpx.AsyncClient, body: str) -> None:
    assert (await client.put("/_simulator/faults", content=body)).status_code == 400


async def set_faults(client: httpx.AsyncClient, *faults: dict[str, Any]) -> None:
    answer = await client.put("/_simulator/faults", json=list(faults) if len(faults) != 1 else faults[0])
    assert answer.status_code == 204


async def test_a_fault_is_for_the_next_calls_of_its_path(client: httpx.AsyncClient, adapter: str) -> None:
    await set_faults(client, {"path": "/101/", "times": 2, "status": 500})
    codes = [(await client.get(STATUS[adapter].format(user))).status_code for user in (1000, 101, 101, 101)]
    assert codes == [200, 500, 500, 200]


async def test_a_fault_without_a_number_is_for_all(client: httpx.AsyncClient, adapter: str) -> None:
    await set_faults(client, {"status": 503, "retry_after": 7})
    for _ in range(3):
        answer = await client.get(STATUS[adapter].format(101))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


async def test_new_faults_replace_the_old_ones(client: httpx.AsyncClient, adapter: str) -> None:
    await set_faults(client, {"status": 500})
    await set_faults(client, {"path": "/102/", "status": 502})
    codes = [(await client.get(STATUS[adapter].format(user))).status_code for user in (101, 102)]
    assert codes == [200, 502]


async def test_faults_can_be_cleared(client: httpx.AsyncClient, adapter: str) -> None:
    await set_faults(client, {"status": 500})
    assert (await client.delete("/_simulator/faults")).status_code == 204
    assert (await client.get(STATUS[adapter].format(101))).status_code == 200


async def test_several_faults_are_tried_in_their_order(client: httpx.AsyncClient, adapter: str) -> None:
    await set_faults(client, {"times": 1, "status": 500}, {"times": 1, "status": 502})
    codes = [(await client.get(STATUS[adapter].format(101))).status_code for _ in range(3)]
    assert codes == [500, 502, 200]


async def test_a_faults_body_is_sent_as_it_is_given(client: httpx.AsyncClient, adapter: str) -> None:
    await set_faults(
        client,
        {"times": 1, "body": "<html>", "content_type": "text/html"},
        {"times": 1, "body": {"a": 1}, "status": 418},
        {"times": 1, "retry_after": "soon"},
    )
    answers = [await client.get(STATUS[adapter].format(101)) for _ in range(3)]
    assert [(each.status_code, each.headers["content-type"]) for each in answers] == [
        (200, "text/html"),
        (418, "application/json"),
        (429, "application/json"),
    ]
    assert (answers[0].text, answers[1].json()) == ("<html>", {"a": 1})
    assert answers[2].headers["retry-after"] == "soon"


async def test_a_dropped_call_has_no_answer(client: httpx.AsyncClient, adapter: str) -> None:
    await set_faults(client, {"times": 1, "drop": True})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        await client.get(STATUS[adapter].format(101))
    assert (await client.get(STATUS[adapter].format(101))).status_code == 200


async def test_a_dropped_call_needs_a_connection() -> None:
    pod = simulator("symphony")
    pod.misbehave(Fault(drop=True))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(pod), base_url="http://pod.example") as client:
        with pytest.raises(ConnectionResetError, match="serving"):
            await client.get("/pod/v2/sessioninfo")


@pytest.mark.parametrize(("apply", "status"), [(True, 400), (False, 200)])
async def test_a_faulted_call_takes_effect_only_where_it_is_applied(
    community: httpx.AsyncClient, apply: bool, status: int
) -> None:
    first = (await community.post("/oauth/token/", data=CLIENT | PASSWORD)).json()
    refresh = CLIENT | {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    await set_faults(community, {"times": 1, "status": 500, "delay": 0.01, "apply": apply})
    assert (await community.post("/oauth/token/", data=refresh)).status_code == 500
    assert (await community.post("/oauth/token/", data=refresh)).status_code == status


async def test_what_is_only_slow_is_answered(client: httpx.AsyncClient, adapter: str) -> None:
    await set_faults(client, {"delay": 0.01})
    assert (await client.get(STATUS[adapter].format(101))).status_code == 200


async def test_calls_are_counted_with_ids_replaced(client: httpx.AsyncClient, adapter: str) -> None:
    for user in (101, 102, 404404):
        await client.get(STATUS[adapter].format(user))
    await client.get(ME[adapter])
    path = STATUS[adapter].format("{id}")
    counted = (await client.get("/_simulator/calls")).json()
    assert counted == {"calls": 4, "logins": 0, "by_path": {f"GET {path}": 3, f"GET {ME[adapter]}": 1}}
    assert (await client.delete("/_simulator/calls")).status_code == 204
    assert (await client.get("/_simulator/calls")).json() == {"calls": 0, "logins": 0, "by_path": {}}


async def test_the_demo_token_never_expires(client: httpx.AsyncClient, adapter: str) -> None:
    await set_faults(client, {"expire_sessions": True})
    assert (await client.get(STATUS[adapter].format(101))).status_code == 200


async def test_an_empty_platform_knows_viewer_1_only(adapter: str) -> None:
    async with (
        serving(simulator(adapter, empty=True)) as url,
        httpx.AsyncClient(base_url=url, headers=TOKEN[adapter]) as client,
    ):
        assert (await client.get(ME[adapter])).status_code == 200
        assert (await client.get(STATUS[adapter].format(101))).status_code == 404


def signed(algorithm: str = "RS512", key: str = KEY, **claims: Any) -> str:
    return jwt.encode({"sub": "demo", "exp": int(time.time()) + 290} | claims, key, algorithm=algorithm)


@pytest.mark.parametrize(("path", "name"), [("/login", "sessionToken"), ("/relay", "keyManagerToken")])
async def test_a_pod_takes_any_key(pod: httpx.AsyncClient, path: str, name: str) -> None:
    answer = (await pod.post(f"{path}/pubkey/authenticate", json={"token": signed()})).json()
    assert list(answer) == ["name", "token", "authorizationToken"]
    assert answer["name"] == name
    assert answer["authorizationToken"].startswith("Bearer ")
    counted = (await pod.get("/_simulator/calls")).json()
    assert (counted["calls"], counted["logins"]) == (0, 1)


async def test_a_pods_session_lasts_until_it_expires(pod: httpx.AsyncClient) -> None:
    token = (await pod.post("/login/pubkey/authenticate", json={"token": signed(sub="demo")})).json()["token"]
    assert (await pod.get(ME["symphony"], headers={"sessionToken": token})).json()["id"] == 1
    await set_faults(pod, {"expire_sessions": True})
    assert (await pod.get(ME["symphony"], headers={"sessionToken": token})).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        *[{"token": signed(exp=int(time.time()) + 400)}, {"token": signed(exp=int(time.time()) - 400)}],
        *[
            {"token": signed(sub="nobody")},
            {"token": signed(algorithm="RS256")},
            {"token": "x"},
            {"token": 1},
            {},
            [],
        ],
        {"token": jwt.encode({"sub": "demo"}, KEY, algorithm="RS512")},
        {"token": jwt.encode({"exp": int(time.time()) + 10}, KEY, algorithm="RS512")},
    ],
    ids=str,
)
async def test_a_pod_refuses_any_other_login(pod: httpx.AsyncClient, body: object) -> None:
    assert (await pod.post("/login/pubkey/authenticate", json=body)).status_code == 401


def community_jwt(secret: str = SECRET, **claims: Any) -> str:
    now = int(time.time())
    whole = {"user_id": 101, "token_type": "access", "jti": "1", "iat": now, "exp": now + 60} | claims
    return jwt.encode({name: value for name, value in whole.items() if value is not None}, secret, algorithm="HS256")


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


CLIENT = {"client_id": "demo", "client_secret": SECRET}
PASSWORD = {"grant_type": "password", "username": "demo", "password": "demo"}


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
