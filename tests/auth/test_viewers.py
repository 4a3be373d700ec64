"""Whose eyes: the viewer's token travels to its platform, in the platform's dialect, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest

from adapters import connect
from adapters.contract import Adapter, Viewer
from gateway.auth.authorization import ANONYMOUS
from gateway.auth.request_headers import RequestHeaders
from gateway.auth.viewers import Viewers
from gateway.config.caller_settings import Right
from gateway.config.converter import from_tables
from tests.gateways import CALLERS, OWN, Gateway, running, tables

DIALECT = {"acme": {"sessionToken": "demo"}, "club": {"Authorization": "Bearer demo"}}
PATH = {name: f"/v1/connections/{name}/101" for name in DIALECT}


def slug(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


@pytest.mark.parametrize("name", DIALECT)
async def test_the_callers_token_is_passed_on(passing: Gateway, name: str) -> None:
    answer = await passing.client.get(PATH[name], headers=DIALECT[name])
    assert answer.json()["status"] == "connected"


@pytest.mark.parametrize("name", DIALECT)
async def test_without_a_token_nobody_is_asked(passing: Gateway, name: str) -> None:
    other = DIALECT["club" if name == "acme" else "acme"]
    for headers in ({}, other, dict.fromkeys(DIALECT[name], "")):
        answer = await passing.client.get(PATH[name], headers=headers)
        assert (answer.status_code, slug(answer)) == (401, "missing-credential")
        assert next(iter(DIALECT[name])) in answer.json()["detail"]
    assert passing.calls == 0


async def test_a_401_says_which_credentials_there_are(passing: Gateway) -> None:
    answer = await passing.client.get(PATH["acme"])
    assert answer.headers["www-authenticate"] == "sessionToken, Bearer"


@pytest.mark.parametrize("value", ["demo", "Basic demo", "Bearer", "Bearer ", "Bearerdemo"])
async def test_another_scheme_is_no_credential(passing: Gateway, value: str) -> None:
    answer = await passing.client.get(PATH["club"], headers={"Authorization": value})
    assert slug(answer) == "missing-credential"


async def test_a_scheme_is_written_in_any_case(passing: Gateway) -> None:
    answer = await passing.client.get(PATH["club"], headers={"Authorization": "bearer demo"})
    assert answer.status_code == 200


@pytest.mark.parametrize("token", [b"de mo", b"d\xe9mo", b"\xff\xff", b"demo\t1", b"x" * 8193])
@pytest.mark.parametrize("name", DIALECT)
async def test_a_token_that_could_not_travel_is_refused(passing: Gateway, name: str, token: bytes) -> None:
    header = next(iter(DIALECT[name])).encode()
    value = b"Bearer " + token if name == "club" else token
    answer = await passing.client.get(PATH[name], headers=[(header, value)])
    assert (answer.status_code, slug(answer)) == (400, "invalid-request")
    assert passing.calls == 0


@pytest.mark.parametrize("name", DIALECT)
async def test_a_refused_token_is_the_callers_matter(passing: Gateway, name: str) -> None:
    headers = {header: value.replace("demo", "expired") for header, value in DIALECT[name].items()}
    answer = await passing.client.get(PATH[name], headers=headers)
    assert (answer.status_code, slug(answer)) == (401, "credential-refused")


async def test_a_header_doubled_with_different_values_is_refused(passing: Gateway) -> None:
    answer = await passing.client.get(PATH["acme"], headers=[("sessionToken", "demo"), ("sessionToken", "other")])
    assert (answer.status_code, slug(answer)) == (400, "invalid-request")
    assert passing.calls == 0


async def test_a_header_doubled_with_the_same_value_is_one(passing: Gateway) -> None:
    answer = await passing.client.get(PATH["acme"], headers=[("sessionToken", "demo"), ("sessionToken", "demo")])
    assert answer.status_code == 200


@pytest.mark.parametrize("name", DIALECT)
async def test_a_token_for_a_platform_with_its_own_is_ignored(gateway: Gateway, name: str) -> None:
    headers = {header: value.replace("demo", "expired") for header, value in DIALECT[name].items()}
    assert (await gateway.client.get(PATH[name], headers=headers)).status_code == 200


@pytest.mark.parametrize("credentials", [OWN, CALLERS])
@pytest.mark.parametrize("name", DIALECT)
async def test_nobody_is_named_where_nobody_can_be(credentials: dict[str, dict[str, str]], name: str) -> None:
    async with running(credentials) as gateway:
        answer = await gateway.client.get(PATH[name], headers={"X-On-Behalf-Of": "101", **DIALECT[name]})
        assert (answer.status_code, slug(answer)) == (400, "invalid-request")
        assert answer.json()["detail"].startswith("X-On-Behalf-Of")
        assert gateway.calls == 0


async def test_two_viewers_have_two_answers(passing: Gateway) -> None:
    passing.acme.platform.tokens.accept("token-of-102", 102)
    answers = [
        (await passing.client.get("/v1/connections/acme/1", headers={"sessionToken": token})).json()["status"]
        for token in ("demo", "token-of-102")
    ]
    assert answers == ["none", "pending_outgoing"]


@pytest.fixture
def pod() -> Adapter:
    settings = from_tables(tables({"acme": {"mode": "caller"}})).platforms["acme"]
    return connect("acme", settings, httpx.MockTransport(lambda _request: httpx.Response(500)), timeout=1.0)


def viewer(pod: Adapter, key: bytes, token: str) -> Viewer:
    headers = RequestHeaders([(b"sessiontoken", token.encode())])
    found = Viewers({"acme": pod}, key).of(("acme",), ANONYMOUS, Right.READ, headers).viewers
    assert isinstance(found, Mapping)
    assert isinstance(found["acme"], Viewer)
    return found["acme"]


def test_a_viewer_is_told_apart_by_its_token(pod: Adapter) -> None:
    one, same, other = (viewer(pod, b"key", token) for token in ("a", "a", "b"))
    assert one == same
    assert len({one, same, other}) == 2


def test_a_viewers_key_says_nothing_outside_its_process(pod: Adapter) -> None:
    keys = {viewer(pod, key, "a").key for key in (b"one", b"two")}
    assert len(keys) == 2


async def test_every_process_has_a_key_of_its_own_for_viewers() -> None:
    keys = set()
    for _ in range(2):
        async with running(CALLERS) as gateway:
            viewers = gateway.app.state.snapshots.current.viewers
            headers = RequestHeaders([(b"sessiontoken", b"a")])
            found = viewers.of(("acme",), ANONYMOUS, Right.READ, headers).viewers
            keys.add(found["acme"].key)
    assert len(keys) == 2


async def test_spaces_before_a_bearer_token_are_not_part_of_it(passing: Gateway) -> None:
    answer = await passing.client.get(PATH["club"], headers={"Authorization": "Bearer   demo"})
    assert answer.status_code == 200
