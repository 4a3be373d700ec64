"""A pod's documented examples with their own numbers, and its login."""

from __future__ import annotations

import json
import time

import httpx
import jwt
import msgspec
import pytest
import respx
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapters import connect
from adapters.contract import Adapter, Connection, InvalidAnswer, OwnCredentialRefused, Status, Viewer
from adapters.secret import Token
from adapters.simulation import private_key, simulator
from adapters.symphony import tables, wire
from gateway.config.converter import from_tables
from tests.gateways import KEY, OWN
from tests.gateways import tables as configuration
from tests.wire import Bounded

VIEWER = Viewer("acme", b"1", Token("text"))
USER = 769658112378
INFO = f"http://acme.example/pod/v1/connection/user/{USER}/info"


def connected(router: respx.Router, **credentials: str) -> Adapter:
    settings = from_tables(configuration({"acme": credentials or {"mode": "caller"}}))
    transport = httpx.MockTransport(router.async_handler)
    return connect("acme", settings.platforms["acme"], Bounded(transport), timeout=1.0)


@pytest.fixture
def router() -> respx.Router:
    return respx.Router(assert_all_called=True)


async def read(adapter: Adapter) -> Connection:
    found = (await adapter.read(VIEWER, (USER,)))[USER]
    assert isinstance(found, Connection)
    return found


async def test_the_documented_pending_connection(router: respx.Router) -> None:
    router.get(INFO).respond(
        json={
            "userId": 769658112378,
            "status": "PENDING_OUTGOING",
            "firstRequestedAt": 1470018073812,
            "updatedAt": 1471018076255,
            "requestCounter": 1,
        }
    )
    found = await read(connected(router))
    assert (found.status, found.native_status) == (Status.PENDING_OUTGOING, "PENDING_OUTGOING")
    assert found.first_requested_at == "2016-08-01T02:21:13.812Z"
    assert found.updated_at == "2016-08-12T16:07:56.255Z"
    assert found.request_count == 1


async def test_the_documented_connection_without_times(router: respx.Router) -> None:
    path = "http://acme.example/pod/v1/connection/user/7078106103809/info"
    router.get(path).respond(json={"userId": 7078106103809, "status": "ACCEPTED"})
    found = (await connected(router).read(VIEWER, (7078106103809,)))[7078106103809]
    assert isinstance(found, Connection)
    assert (found.status, found.user_id) == (Status.CONNECTED, "7078106103809")
    assert (found.first_requested_at, found.updated_at, found.request_count) == (None, None, None)


async def test_the_documented_request(router: respx.Router) -> None:
    route = router.get(INFO).respond(json={"userId": USER, "status": "ACCEPTED"})
    await read(connected(router))
    sent = route.calls[0].request
    assert sent.headers["sessionToken"] == "text"
    assert "authorization" not in sent.headers
    assert sent.url.query == b""


async def test_the_code_in_an_error_body_is_never_trusted(router: respx.Router) -> None:
    router.get(INFO).respond(404, json={"code": 403, "message": "Forbidden"})
    assert (await read(connected(router))).status is Status.NONE


@pytest.mark.parametrize(
    "body", ["{}", '{"code": 404}', '{"message": "x"}', '{"code": 404, "message": "x", "y": []}']
)
async def test_a_404s_body_may_lack_its_fields(router: respx.Router, body: str) -> None:
    router.get(INFO).respond(404, content=body)
    assert (await read(connected(router))).status is Status.NONE


@pytest.mark.parametrize("body", [{"code": "404", "message": ["x"]}, {"error": "no route"}, {"detail": "Not found."}])
async def test_a_404_with_an_error_of_another_shape_is_invalid(router: respx.Router, body: dict[str, object]) -> None:
    router.get(INFO).respond(404, json=body)
    with pytest.raises(InvalidAnswer):
        await read(connected(router))


async def test_a_login_is_a_short_lived_jwt(router: respx.Router) -> None:
    login = router.post("http://acme.example/login/pubkey/authenticate").respond(
        json={"name": "sessionToken", "token": "session-1", "authorizationToken": "Bearer x"}
    )
    info = router.get(INFO).respond(json={"userId": USER, "status": "ACCEPTED"})
    adapter = connected(router, mode="bot", username="status-bot", private_key=KEY)
    await read(adapter)
    signed = json.loads(login.calls[0].request.content)
    assert list(signed) == ["token"]
    settings = from_tables(configuration(OWN)).platforms["acme"]
    public = settings.credentials.private_key.key.public_key()  # type: ignore[attr-defined]
    claims = jwt.decode(signed["token"], public, algorithms=["RS512"])
    assert claims["sub"] == "status-bot"
    assert 230 < claims["exp"] - time.time() <= 240
    assert info.calls[0].request.headers["sessionToken"] == "session-1"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_login_is_our_own_credential(router: respx.Router, status: int) -> None:
    router.post("http://acme.example/login/pubkey/authenticate").respond(status, json={"code": status})
    with pytest.raises(OwnCredentialRefused):
        await read(connected(router, mode="bot", username="status-bot", private_key=KEY))


@pytest.mark.parametrize(
    "body", ["{}", '{"token": ""}', '{"token": 1}', "<html>", '{"token": "a b"}', '{"token": "\\n"}']
)
async def test_a_login_without_a_token_is_invalid(router: respx.Router, body: str) -> None:
    router.post("http://acme.example/login/pubkey/authenticate").respond(200, content=body)
    with pytest.raises(InvalidAnswer):
        await read(connected(router, mode="bot", username="status-bot", private_key=KEY))


async def test_a_pod_that_knows_another_key_refuses_ours() -> None:
    public = from_tables(configuration(OWN)).platforms["acme"].credentials.private_key.key.public_key()  # type: ignore[attr-defined]
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    wire = httpx.ASGITransport(simulator("symphony", public_key=pem))
    for key, good in ((KEY, True), (private_key(), False)):
        credentials = {"mode": "bot", "username": "demo", "private_key": key}
        settings = from_tables(configuration({"acme": credentials})).platforms["acme"]
        adapter = connect("acme", settings, Bounded(wire), timeout=1.0)
        if good:
            assert await adapter.identify() is not None
        else:
            with pytest.raises(OwnCredentialRefused):
                await adapter.identify()


def test_the_tables_are_total() -> None:
    assert set(tables.STATUS) == set(wire.NativeStatus)
    assert set(tables.ACTIONS) == set(Status)


def test_the_wire_has_the_documented_names() -> None:
    assert wire.UserConnection.__struct_encode_fields__ == (
        "userId",
        "status",
        "firstRequestedAt",
        "updatedAt",
        "requestCounter",
    )
    assert (
        msgspec.json.encode(wire.UserConnection(1, wire.NativeStatus.ACCEPTED)) == b'{"userId":1,"status":"ACCEPTED"}'
    )
