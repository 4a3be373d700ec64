"""A community's documented answers to lists, reads of many and actions, and what its contract warns of."""

from __future__ import annotations

from typing import Any

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
    InvalidPosition,
    PlatformError,
    Position,
    Status,
    UserNotFound,
    Viewer,
)
from adapters.secret import Token
from gateway.config.converter import from_tables
from tests.gateways import tables as configuration
from tests.wire import Bounded

VIEWER = Viewer("club", b"1", Token("text"))
BEFORE = Before(Connection("acme", "5", Status.NONE, None, (), None, None, None, ""))
"""Neither adapter looks at it."""
API = "http://club.example/api/v2"
REQUESTS = f"{API}/user/connection/requests/"
SENT = f"{API}/user/connection/requests_sent/"
INCOMING = {Status.PENDING_INCOMING}


@pytest.fixture
def router() -> respx.Router:
    return respx.Router(assert_all_called=True)


@pytest.fixture
def community(router: respx.Router) -> Adapter:
    settings = from_tables(configuration({"club": {"mode": "caller"}})).platforms["club"]
    transport = httpx.MockTransport(router.async_handler)
    return connect("club", settings, Bounded(transport), timeout=1.0)


def page(*results: object, following: str | None = None, count: int = 7) -> dict[str, Any]:
    return {"count": count, "next": following, "previous": None, "results": list(results)}


def request(user: int, whose: str = "from_user", **times: str | None) -> dict[str, Any]:
    described = {"id": user, "username": f"user-{user}", "real_name": None, "avatar": "https://x/y.png"}
    return {whose: described, "created": None, "rejected": None, "viewed": None} | times


def found(each: Connection | PlatformError) -> Connection:
    assert isinstance(each, Connection)
    return each


async def test_the_documented_statuses_of_many(router: respx.Router, community: Adapter) -> None:
    route = router.post(f"{API}/user/connection/statuses/").respond(
        json={"connection_statuses": {"1": "connected", "7": None}}
    )
    read = await community.read(VIEWER, (1, 7, 9))
    assert (found(read[1]).status, found(read[7]).status) == (Status.CONNECTED, Status.NONE)
    assert isinstance(read[9], UserNotFound)
    sent = route.calls[0].request
    assert msgspec.json.decode(sent.content) == {"users": [1, 7, 9]}
    assert (sent.headers["authorization"], sent.headers["content-type"]) == ("Bearer text", "application/json")


@pytest.mark.parametrize(
    "body",
    [
        {"connection_statuses": []},
        {"connection_statuses": None},
        {"connection_statuses": ["connected"]},
        {"statuses": {}},
        {},
    ],
)
async def test_statuses_of_another_shape_are_invalid(router: respx.Router, community: Adapter, body: object) -> None:
    router.post(f"{API}/user/connection/statuses/").respond(json=body)
    with pytest.raises(InvalidAnswer):
        await community.read(VIEWER, (1, 7))


async def test_a_request_that_was_received(router: respx.Router, community: Adapter) -> None:
    route = router.get(REQUESTS).respond(json=page(request(5, created="2026-11-21T23:41:00.123456+02:00")))
    (entry,) = (await community.list(VIEWER, INCOMING, None, 50)).entries
    connection = found(entry.found)
    assert (connection.user_id, connection.status) == ("5", Status.PENDING_INCOMING)
    assert connection.native_status == "received_connection_request"
    assert connection.first_requested_at == "2026-11-21T21:41:00.123Z"
    assert connection.updated_at is None
    assert route.calls[0].request.url.query == b"limit=100&offset=0"


async def test_a_request_that_was_sent(router: respx.Router, community: Adapter) -> None:
    router.get(SENT).respond(json=page(request(5, "to_user", created="2026-11-21T21:41:00Z")))
    (entry,) = (await community.list(VIEWER, {Status.PENDING_OUTGOING}, None, 50)).entries
    assert found(entry.found).native_status == "sent_connection_request"
    assert found(entry.found).first_requested_at == "2026-11-21T21:41:00.000Z"


async def test_a_request_that_was_declined(router: respx.Router, community: Adapter) -> None:
    router.get(REQUESTS).respond(json=page(request(5, rejected="2026-11-21T21:41:00Z")))
    router.get(SENT).respond(json=page())
    (entry,) = (await community.list(VIEWER, {Status.REJECTED}, None, 50)).entries
    connection = found(entry.found)
    assert (connection.status, connection.native_status, connection.actions) == (Status.REJECTED, None, ())
    assert (connection.first_requested_at, connection.updated_at) == (None, "2026-11-21T21:41:00.000Z")
    first = await community.list(VIEWER, {Status.REJECTED}, None, 50)
    assert first.next == Position(1, 0)
    assert (await community.list(VIEWER, {Status.REJECTED}, first.next, 50)).next is None


async def test_a_declined_request_is_not_pending(router: respx.Router, community: Adapter) -> None:
    router.get(REQUESTS).respond(json=page(request(5, rejected="2026-11-21T21:41:00Z"), request(6)))
    entries = (await community.list(VIEWER, INCOMING, None, 50)).entries
    assert [(entry.user_id, entry.position) for entry in entries] == [(6, Position(0, 2))]


async def test_connected_users_are_those_of_the_tokens_own_user(router: respx.Router, community: Adapter) -> None:
    router.get(f"{API}/user/me/").respond(json={"id": 77, "username": "me"})
    router.get(f"{API}/user/77/connections/").respond(json=page({"id": 5, "username": "five"}))
    (entry,) = (await community.list(VIEWER, {Status.CONNECTED}, None, 50)).entries
    connection = found(entry.found)
    assert (connection.user_id, connection.native_status) == ("5", "connected")
    assert connection.first_requested_at is None


async def test_next_is_never_followed(router: respx.Router, community: Adapter) -> None:
    elsewhere = "https://elsewhere.example/api/v2/user/connection/requests/?limit=1&offset=900"
    route = router.get(REQUESTS).respond(json=page(request(5), request(6), following=elsewhere))
    first = await community.list(VIEWER, INCOMING, None, 50)
    assert (first.next, first.remaining) == (Position(0, 2), 5)
    await community.list(VIEWER, INCOMING, first.next, 50)
    assert route.calls[1].request.url == f"{REQUESTS}?limit=100&offset=2"


async def test_an_offset_advances_by_what_came_not_by_what_was_asked(
    router: respx.Router, community: Adapter
) -> None:
    rejected = request(6, rejected="2026-11-21T21:41:00Z")
    router.get(REQUESTS).respond(json=page(request(5), rejected, rejected, following="x"))
    first = await community.list(VIEWER, INCOMING, Position(0, 10), 50)
    assert [entry.user_id for entry in first.entries] == [5]
    assert first.next == Position(0, 13)


async def test_an_empty_page_that_is_not_the_last_is_invalid(router: respx.Router, community: Adapter) -> None:
    router.get(REQUESTS).respond(json=page(following="x"))
    with pytest.raises(InvalidAnswer, match="empty page"):
        await community.list(VIEWER, INCOMING, None, 50)


async def test_no_more_than_fits_is_asked_for_where_all_of_it_is_wanted(
    router: respx.Router, community: Adapter
) -> None:
    route = router.get(REQUESTS).respond(json=page())
    await community.list(VIEWER, {*INCOMING, Status.REJECTED}, None, 7)
    assert route.calls[0].request.url.query == b"limit=7&offset=0"


async def test_a_page_is_cut_where_more_came_than_fits(router: respx.Router, community: Adapter) -> None:
    router.get(REQUESTS).respond(json=page(request(5), request(6), request(7)))
    cut = await community.list(VIEWER, INCOMING, None, 2)
    assert [entry.user_id for entry in cut.entries] == [5, 6]
    assert (cut.next, cut.remaining) == (Position(0, 2), 5)


async def test_a_page_is_asked_for_in_modest_size(router: respx.Router, community: Adapter) -> None:
    route = router.get(REQUESTS).respond(json=page())
    await community.list(VIEWER, INCOMING, None, 500)
    assert route.calls[0].request.url.query == b"limit=100&offset=0"


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (None, None),
        ("2026-11-21T21:41:00", None),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
async def test_a_time_without_a_zone_is_no_moment(
    router: respx.Router, community: Adapter, created: str | None, expected: str | None
) -> None:
    router.get(REQUESTS).respond(json=page(request(5, created=created)))
    (entry,) = (await community.list(VIEWER, INCOMING, None, 50)).entries
    assert found(entry.found).first_requested_at == expected


async def test_declined_without_a_zone_is_still_declined(router: respx.Router, community: Adapter) -> None:
    router.get(REQUESTS).respond(json=page(request(5, rejected="2026-11-21T21:41:00")))
    assert (await community.list(VIEWER, INCOMING, None, 50)).entries == ()


@pytest.mark.parametrize(
    "entry",
    [
        request(5, created="yesterday"),
        request(5, created="0001-01-01T00:00:00+14:00"),
        request(5, rejected="9999-12-31T23:59:59-12:00"),
        {"from_user": {"id": 5}, "created": None},
        {"from_user": {"id": 5}, "created": 1, "rejected": None},
    ],
)
async def test_an_entry_that_makes_no_sense_is_its_users_alone(
    router: respx.Router, community: Adapter, entry: object
) -> None:
    router.get(REQUESTS).respond(json=page(request(4), entry, request(6)))
    entries = (await community.list(VIEWER, INCOMING, None, 50)).entries
    assert [each.user_id for each in entries] == [4, 5, 6]
    assert [type(each.found) for each in entries] == [Connection, InvalidAnswer, Connection]


@pytest.mark.parametrize(
    "entry",
    [
        request(0),
        request(2**63),
        request(5, "to_user"),
        {"from_user": 5, "created": None, "rejected": None},
        {"from_user": {"id": "5"}, "created": None, "rejected": None},
        None,
    ],
)
async def test_an_entry_about_nobody_is_an_error_alone(
    router: respx.Router, community: Adapter, entry: object
) -> None:
    router.get(REQUESTS).respond(json=page(request(4), entry, request(6)))
    entries = (await community.list(VIEWER, INCOMING, None, 50)).entries
    assert [each.user_id for each in entries] == [4, None, 6]
    assert [type(each.found) for each in entries] == [Connection, InvalidAnswer, Connection]
    assert [each.position for each in entries] == [Position(0, 1), Position(0, 2), Position(0, 3)]


@pytest.mark.parametrize("name", ["", r', "username": "\ud800"', ', "username": null', ', "username": 5'])
async def test_who_the_viewer_is_needs_no_name(router: respx.Router, community: Adapter, name: str) -> None:
    router.get(f"{API}/user/me/").respond(content=f'{{"id": 77{name}}}')
    router.get(f"{API}/user/77/connections/").respond(json=page({"id": 5}))
    (entry,) = (await community.list(VIEWER, {Status.CONNECTED}, None, 50)).entries
    assert found(entry.found).user_id == "5"


@pytest.mark.parametrize(
    "created", ["2026-01-05T09:30Z", "2026-01-05T09:30:00+00", "2026-01-05T09:30:00,000Z", "20260105T093000Z"]
)
async def test_a_time_may_be_written_in_any_form_of_iso_8601(
    router: respx.Router, community: Adapter, created: str
) -> None:
    router.get(REQUESTS).respond(json=page(request(5, created=created)))
    (entry,) = (await community.list(VIEWER, INCOMING, None, 50)).entries
    assert found(entry.found).first_requested_at == "2026-01-05T09:30:00.000Z"


@pytest.mark.parametrize("body", [[], {"results": []}, {"count": 0, "next": None}, {"count": -1, "next": None, "results": []}, {"count": 0, "results": []}])  # fmt: skip
async def test_a_page_of_another_shape_is_invalid(router: respx.Router, community: Adapter, body: object) -> None:
    router.get(REQUESTS).respond(json=body)
    with pytest.raises(InvalidAnswer):
        await community.list(VIEWER, INCOMING, None, 50)


@pytest.mark.parametrize("position", [Position(1, 0), Position(2, 0), Position(3, 0), Position(0, 2**31)])
async def test_a_position_belongs_to_a_list_of_these_statuses(community: Adapter, position: Position) -> None:
    with pytest.raises(InvalidPosition):
        await community.list(VIEWER, INCOMING, position, 50)


@pytest.mark.parametrize(
    ("action", "word"),
    [
        (Action.REQUEST, "request"),
        (Action.ACCEPT, "accept"),
        (Action.REJECT, "reject"),
        (Action.CANCEL, "cancel_request"),
        (Action.REMOVE, "remove"),
    ],
)
async def test_the_documented_actions(router: respx.Router, community: Adapter, action: Action, word: str) -> None:
    route = router.post(f"{API}/user/7/connection/{word}/").respond(json={"connection_status": None})
    after = await community.act(VIEWER, 7, action, BEFORE)
    assert (after.status, after.user_id) == (Status.NONE, "7")
    sent = route.calls[0].request
    assert (sent.content, sent.headers["content-length"]) == (b"", "0")
    assert sent.headers["authorization"] == "Bearer text"
