"""What all simulators share, as their users have it: over HTTP, on loopback."""

from __future__ import annotations

import httpx
import pytest

from adapters.simulation import serving, simulator
from adapters.simulation.faults import Fault
from tests.simulation.clients import ME, STATUS, TOKEN, set_faults


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


@pytest.mark.parametrize("body", ['{"all_has_explicit": true}', '{"all_has_implicit": 1}', "[]", ""])
async def test_a_switch_that_is_none_is_refused(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.put("/_simulator/switches", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_a_refused_switch_turns_nothing(pod: httpx.AsyncClient) -> None:
    await pod.put("/_simulator/switches", json={"all_has_implicit": True, "x": True})
    assert (await pod.get("/_simulator/switches")).json() == {"all_has_implicit": False}


async def test_a_switch_stays_as_it_was_put(pod: httpx.AsyncClient) -> None:
    assert (await pod.put("/_simulator/switches", json={"all_has_implicit": True})).status_code == 204
    assert (await pod.get("/_simulator/switches")).json() == {"all_has_implicit": True}


async def test_a_community_has_nothing_to_switch(community: httpx.AsyncClient) -> None:
    assert (await community.get("/_simulator/switches")).json() == {}
