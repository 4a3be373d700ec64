"""A community's documented examples."""

from __future__ import annotations

import httpx
import pytest
import respx

from adapters import connect
from adapters.contract import Adapter, Connection, Forbidden, InvalidAnswer, Status, UserNotFound, Viewer
from adapters.secret import Token
from adapters.selfcommunity import tables, wire
from gateway.config.converter import from_tables
from tests.gateways import tables as configuration
from tests.wire import Bounded

VIEWER = Viewer("club", b"1", Token("text"))
STATUS = "http://club.example/api/v2/user/7/connection_status/"


def connected(router: respx.Router) -> Adapter:
    settings = from_tables(configuration({"club": {"mode": "caller"}})).platforms["club"]
    return connect("club", settings, Bounded(httpx.MockTransport(router.async_handler)), timeout=1.0)


@pytest.fixture
def router() -> respx.Router:
    return respx.Router(assert_all_called=True)


@pytest.mark.parametrize(
    ("native", "status"),
    [
        ("connected", Status.CONNECTED),
        ("sent_connection_request", Status.PENDING_OUTGOING),
        ("received_connection_request", Status.PENDING_INCOMING),
        (None, Status.NONE),
    ],
)
async def test_the_documented_values(router: respx.Router, native: str | None, status: Status) -> None:
    router.get(STATUS).respond(json={"connection_status": native})
    found = (await connected(router).read(VIEWER, (7,)))[7]
    assert isinstance(found, Connection)
    assert (found.status, found.native_status) == (status, native)


async def test_the_documented_placeholder_is_no_status(router: respx.Router) -> None:
    router.get(STATUS).respond(json={"connection_status": "string"})
    with pytest.raises(InvalidAnswer):
        await connected(router).read(VIEWER, (7,))


async def test_the_documented_request(router: respx.Router) -> None:
    route = router.get(STATUS).respond(json={"connection_status": None})
    await connected(router).read(VIEWER, (7,))
    sent = route.calls[0].request
    assert sent.headers["authorization"] == "Bearer text"
    assert sent.headers["accept"] == "application/json"
    assert sent.url.path.endswith("/")


@pytest.mark.parametrize(
    "body",
    [
        {"detail": "Not found."},
        {"errors": [{"code": "not_found", "message": "x"}]},
        {"errors": [{"field": "id", "messages": ["x"]}]},
    ],
)
async def test_a_404_in_any_of_the_documented_shapes_says_that_there_is_no_user(
    router: respx.Router, body: dict[str, object]
) -> None:
    router.get(STATUS).respond(404, json=body)
    assert isinstance((await connected(router).read(VIEWER, (7,)))[7], UserNotFound)


@pytest.mark.parametrize("body", ["{}", '{"detail": null}', '{"detail": 1}', '{"errors": "x"}'])
async def test_a_404_in_no_documented_shape_is_invalid(router: respx.Router, body: str) -> None:
    router.get(STATUS).respond(404, content=body)
    with pytest.raises(InvalidAnswer):
        await connected(router).read(VIEWER, (7,))


async def test_a_403_is_explained_as_the_operators_setting(router: respx.Router) -> None:
    router.get(STATUS).respond(403, json={"detail": "x"})
    with pytest.raises(Forbidden, match="follow mode"):
        await connected(router).read(VIEWER, (7,))


def test_the_tables_are_total() -> None:
    assert set(tables.STATUS) == {*wire.NativeStatus, None}
    assert set(tables.ACTIONS) == set(Status)
