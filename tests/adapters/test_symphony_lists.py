"""A pod's documented examples of lists and actions, with their own numbers, and what its contract warns of."""

from __future__ import annotations

import json

import httpx
import msgspec
import pytest
import respx

from adapters import connect
from adapters.contract import (
    Action,
    Adapter,
    Before,
    Connection,
    InvalidAnswer,
    PlatformError,
    Position,
    Status,
    Viewer,
)
from adapters.secret import Token
from adapters.symphony import tables
from gateway.config.converter import from_tables
from tests.gateways import running
from tests.gateways import tables as configuration
from tests.wire import Bounded

VIEWER = Viewer("acme", b"1", Token("text"))
BEFORE = Before(Connection("acme", "5", Status.NONE, None, (), None, None, None, ""))
"""Neither adapter looks at it."""
POD = "http://acme.example/pod/v1/connection"
SEED = [
    {
        "userId": 769658112378,
        "status": "PENDING_OUTGOING",
        "firstRequestedAt": 1470018073812,
        "updatedAt": 1471018076255,
        "requestCounter": 1,
    },
    {"userId": 7078106103809, "status": "ACCEPTED"},
]
PENDING = {Status.PENDING_INCOMING, Status.PENDING_OUTGOING}
LISTABLE = set(Status) - {Status.NONE}


@pytest.fixture
def router() -> respx.Router:
    return respx.Router(assert_all_called=True)


@pytest.fixture
def pod(router: respx.Router) -> Adapter:
    settings = from_tables(configuration({"acme": {"mode": "caller"}})).platforms["acme"]
    transport = httpx.MockTransport(router.async_handler)
    return connect("acme", settings, Bounded(transport), timeout=1.0)


def found(each: Connection | PlatformError) -> Connection:
    assert isinstance(each, Connection)
    return each


async def test_the_documented_list(router: respx.Router, pod: Adapter) -> None:
    route = router.get(f"{POD}/list", params={"status": "ALL"}).respond(json=SEED)
    page = await pod.list(VIEWER, LISTABLE, None, 100)
    first, second = (found(entry.found) for entry in page.entries)
    assert (first.user_id, first.status, first.native_status) == (
        "769658112378",
        Status.PENDING_OUTGOING,
        "PENDING_OUTGOING",
    )
    assert (first.first_requested_at, first.updated_at) == ("2016-08-01T02:21:13.812Z", "2016-08-12T16:07:56.255Z")
    assert first.request_count == 1
    assert (second.user_id, second.status) == ("7078106103809", Status.CONNECTED)
    assert (second.first_requested_at, second.updated_at, second.request_count) == (None, None, None)
    assert page.next is None
    assert route.calls[0].request.headers["sessionToken"] == "text"


@pytest.mark.parametrize(
    ("statuses", "query"),
    [
        (PENDING, b""),
        ({Status.PENDING_INCOMING}, b"status=PENDING_INCOMING"),
        ({Status.PENDING_OUTGOING}, b"status=PENDING_OUTGOING"),
        ({Status.CONNECTED}, b"status=ACCEPTED"),
        ({Status.REJECTED}, b"status=REJECTED"),
        ({Status.REJECTED, Status.CONNECTED}, b"status=ALL"),
        ({*PENDING, Status.REJECTED}, b"status=ALL"),
        (LISTABLE, b"status=ALL"),
    ],
)
async def test_the_documented_parameters(
    router: respx.Router, pod: Adapter, statuses: set[Status], query: bytes
) -> None:
    route = router.get(f"{POD}/list").respond(json=SEED)
    page = await pod.list(VIEWER, statuses, None, 100)
    assert route.calls[0].request.url.query == query
    assert {found(entry.found).status for entry in page.entries} <= statuses


async def test_a_list_is_cut_into_pages_by_id(router: respx.Router, pod: Adapter) -> None:
    entries = [{"userId": user, "status": "ACCEPTED"} for user in (30, 9, 200, 1, 4000)]
    router.get(f"{POD}/list").respond(json=entries)
    first = await pod.list(VIEWER, {Status.CONNECTED}, None, 2)
    assert [entry.user_id for entry in first.entries] == [1, 9]
    assert (first.next, first.remaining) == (Position(0, 9), 3)
    last = await pod.list(VIEWER, {Status.CONNECTED}, Position(0, 30), 2)
    assert [entry.user_id for entry in last.entries] == [200, 4000]
    assert last.next is None


async def test_a_list_goes_on_although_its_last_user_is_gone(router: respx.Router, pod: Adapter) -> None:
    router.get(f"{POD}/list").respond(json=[{"userId": user, "status": "ACCEPTED"} for user in (1, 30)])
    page = await pod.list(VIEWER, {Status.CONNECTED}, Position(0, 9), 2)
    assert [entry.user_id for entry in page.entries] == [30]


async def test_a_pods_list_may_be_sixteen_times_as_long_as_any_other_answer(
    router: respx.Router, pod: Adapter
) -> None:
    body = json.dumps(SEED).encode()
    router.get(f"{POD}/list").respond(content=body.ljust(16 * 1024 * 1024))
    assert len((await pod.list(VIEWER, LISTABLE, None, 100)).entries) == 2
    router.get(f"{POD}/list").respond(content=body.ljust(16 * 1024 * 1024 + 1))
    with pytest.raises(InvalidAnswer, match="too large"):
        await pod.list(VIEWER, LISTABLE, None, 100)


@pytest.mark.parametrize(
    "second",
    [
        {"userId": 5, "status": "REJECTED"},
        {"userId": 5, "status": "ACCEPTED", "updatedAt": 1},
        {"userId": 5, "status": "BLOCKED"},
        {"userId": 5},
    ],
)
async def test_entries_that_contradict_each_other_are_their_users_alone(
    router: respx.Router, pod: Adapter, second: dict[str, object]
) -> None:
    body = [{"userId": 5, "status": "ACCEPTED"}, {"userId": 6, "status": "ACCEPTED"}, second]
    router.get(f"{POD}/list").respond(json=body)
    page = await pod.list(VIEWER, {Status.CONNECTED}, None, 100)
    wrong, right = (entry.found for entry in page.entries)
    assert isinstance(wrong, InvalidAnswer)
    assert found(right).status is Status.CONNECTED
    read = await pod.read(VIEWER, (5, 6))
    assert isinstance(read[5], InvalidAnswer)
    assert found(read[6]).status is Status.CONNECTED


async def test_the_same_entry_twice_is_one(router: respx.Router, pod: Adapter) -> None:
    router.get(f"{POD}/list").respond(json=[SEED[1], SEED[1]])
    assert len((await pod.list(VIEWER, {Status.CONNECTED}, None, 100)).entries) == 1


@pytest.mark.parametrize("entry", [{"status": "ACCEPTED"}, {"userId": 0, "status": "ACCEPTED"}, 5, None])
async def test_an_entry_about_nobody_is_an_error_alone(router: respx.Router, pod: Adapter, entry: object) -> None:
    router.get(f"{POD}/list").respond(json=[entry, SEED[1], entry])
    page = await pod.list(VIEWER, {Status.CONNECTED}, None, 100)
    assert [each.user_id for each in page.entries] == [7078106103809, None]
    assert [type(each.found) for each in page.entries] == [Connection, InvalidAnswer]
    assert page.next is None


async def test_an_entry_about_nobody_is_told_once_behind_the_last_user(router: respx.Router, pod: Adapter) -> None:
    router.get(f"{POD}/list").respond(json=[None, *({"userId": user, "status": "ACCEPTED"} for user in (1, 2))])
    first = await pod.list(VIEWER, {Status.CONNECTED}, None, 2)
    assert ([entry.user_id for entry in first.entries], first.next, first.remaining) == ([1, 2], Position(0, 2), 1)
    last = await pod.list(VIEWER, {Status.CONNECTED}, first.next, 2)
    assert ([entry.user_id for entry in last.entries], last.next) == ([None], None)
    behind = await pod.list(VIEWER, {Status.CONNECTED}, last.entries[0].position, 2)
    assert (behind.entries, behind.next) == ((), None)


async def test_an_entry_about_nobody_among_those_asked_for_again_is_no_none(
    router: respx.Router, pod: Adapter
) -> None:
    router.get(f"{POD}/list", params={"status": "ALL"}).respond(json=[SEED[1]])
    router.get(f"{POD}/list", params={"status": "ACCEPTED"}).respond(json=[{"userId": None, "status": "ACCEPTED"}])
    read = await pod.read(VIEWER, (7078106103809, 5))
    assert found(read[7078106103809]).status is Status.CONNECTED
    assert isinstance(read[5], InvalidAnswer)


async def test_whom_all_leaves_out_is_asked_for_as_accepted(router: respx.Router, pod: Adapter) -> None:
    router.get(f"{POD}/list", params={"status": "ALL", "userIds": "1,2,3"}).respond(
        json=[{"userId": 1, "status": "REJECTED"}]
    )
    router.get(f"{POD}/list", params={"status": "ACCEPTED", "userIds": "2,3"}).respond(
        json=[{"userId": 2, "status": "ACCEPTED"}]
    )
    read = await pod.read(VIEWER, (1, 2, 3))
    assert [found(read[user]).status for user in (1, 2, 3)] == [Status.REJECTED, Status.CONNECTED, Status.NONE]


@pytest.mark.parametrize("status", ["ACCEPTED", "BLOCKED"])
async def test_who_was_not_asked_for_again_stands_where_all_said(
    router: respx.Router, pod: Adapter, status: str
) -> None:
    router.get(f"{POD}/list", params={"status": "ALL"}).respond(json=[{"userId": 1, "status": "PENDING_INCOMING"}])
    router.get(f"{POD}/list", params={"status": "ACCEPTED"}).respond(json=[{"userId": 1, "status": status}])
    read = await pod.read(VIEWER, (1, 2))
    assert [found(read[user]).status for user in (1, 2)] == [Status.PENDING_INCOMING, Status.NONE]


async def test_the_ids_stand_in_the_query_as_documented(router: respx.Router, pod: Adapter) -> None:
    route = router.get(f"{POD}/list").respond(json=[])
    await pod.read(VIEWER, (769658112378, 7078106103809))
    assert route.calls[0].request.url.query == b"status=ALL&userIds=769658112378,7078106103809"


TRANSITIONS = [
    (None, Action.REQUEST, "PENDING_OUTGOING"),
    ("PENDING_INCOMING", Action.ACCEPT, "ACCEPTED"),
    ("PENDING_INCOMING", Action.REJECT, "REJECTED"),
]
"""The table of the documentation's page on accepting."""


@pytest.mark.parametrize(("before", "action", "after"), TRANSITIONS)
async def test_the_documented_transitions_are_possible(before: str | None, action: Action, after: str) -> None:
    statuses = {native.value: status for native, status in tables.STATUS.items()}
    status = Status.NONE if before is None else statuses[before]
    assert action in tables.ACTIONS[status]
    async with running() as gateway:
        gateway.acme.platform.set_connection(1, 769658112378, before)
        answer = await gateway.client.post(f"/v1/connections/acme/769658112378/{action}")
        assert answer.json()["native_status"] == after
        assert gateway.acme.platform.connection(1, 769658112378) == after


@pytest.mark.parametrize(
    ("action", "path", "status"),
    [
        (Action.ACCEPT, "accept", "ACCEPTED"),
        (Action.REQUEST, "create", "PENDING_OUTGOING"),
        (Action.REJECT, "reject", "REJECTED"),
    ],
)
async def test_the_documented_acceptance(
    router: respx.Router, pod: Adapter, action: Action, path: str, status: str
) -> None:
    answer = {
        "userId": 769658112378,
        "status": status,
        "firstRequestedAt": 1470018073812,
        "updatedAt": 1471018076255,
        "requestCounter": 1,
    }
    route = router.post(f"{POD}/{path}").respond(json=answer)
    after = await pod.act(VIEWER, 769658112378, action, BEFORE)
    assert (after.user_id, after.native_status) == ("769658112378", status)
    assert after.updated_at == "2016-08-12T16:07:56.255Z"
    sent = route.calls[0].request
    assert msgspec.json.decode(sent.content) == {"userId": 769658112378}
    assert (sent.headers["sessionToken"], sent.headers["content-type"]) == ("text", "application/json")


async def test_the_documented_removal(router: respx.Router, pod: Adapter) -> None:
    route = router.post(f"{POD}/user/769658112378/remove").respond(
        json={"format": "TEXT", "message": "Connection Removed."}
    )
    after = await pod.act(VIEWER, 769658112378, Action.REMOVE, BEFORE)
    assert (after.status, after.native_status) == (Status.NONE, None)
    assert route.calls[0].request.content == b""


@pytest.mark.parametrize("body", ["{}", "[]", "null", '{"message": null}', '{"format": "TEXT"}', "<html>"])
async def test_a_removal_must_say_so(router: respx.Router, pod: Adapter, body: str) -> None:
    router.post(f"{POD}/user/5/remove").respond(content=body)
    with pytest.raises(InvalidAnswer):
        await pod.act(VIEWER, 5, Action.REMOVE, BEFORE)


async def test_an_answer_about_another_user_is_invalid(router: respx.Router, pod: Adapter) -> None:
    router.post(f"{POD}/accept").respond(json=SEED[1])
    with pytest.raises(InvalidAnswer) as caught:
        await pod.act(VIEWER, 5, Action.ACCEPT, BEFORE)
    assert caught.value.may_have_acted
