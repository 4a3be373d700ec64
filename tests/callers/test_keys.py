"""Who calls: every call of the API needs a key that a caller has, if there are callers."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from gateway.auth import callers
from gateway.auth.callers import key_digest
from tests.gateways import CALLERS, OWN, Gateway, caller, key_of, running

CALLS = [
    ("GET", "/v1/connections/acme/101"),
    ("GET", "/v1/connections"),
    ("POST", "/v1/lookup"),
    ("POST", "/v1/connections/acme/102/accept"),
    ("GET", "/v1/platforms"),
    ("GET", "/v1/nowhere"),
    ("GET", "/v1/connections/nowhere/x"),
    ("DELETE", "/v1/platforms"),
]


@pytest.fixture
async def keyed() -> AsyncIterator[Gateway]:
    policy = [caller("web", may=["read", "act"]), caller("bot")]
    async with running(OWN, policy) as gateway:
        yield gateway


def slug(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["type"]).removeprefix("/problems/")


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_every_call_needs_a_key_before_anything_else_is_looked_at(
    keyed: Gateway, method: str, path: str
) -> None:
    for headers in ({}, {"X-API-Key": ""}, {"X-API-Key": "wrong"}):
        answer = await keyed.client.request(method, path, headers=headers)
        assert slug(answer) == (401, "invalid-api-key")
        assert answer.headers["www-authenticate"] == "X-API-Key"
    assert keyed.calls == 0


async def test_a_key_lets_in(keyed: Gateway) -> None:
    for name in ("web", "bot"):
        async with keyed.as_caller(name) as client:
            assert (await client.get("/v1/connections/acme/101")).json()["status"] == "connected"


@pytest.mark.parametrize(
    "key",
    [
        *[b"\xff\xfe", "clé".encode(), b"x" * 60_000, key_of("web").encode() + b"x", key_of("web")[:-1].encode()],
        *[key_digest(key_of("web")).encode(), key_of("web").upper().encode(), b"%00", b"' OR 1=1"],
    ],
)
async def test_any_other_key_is_unknown(keyed: Gateway, key: bytes) -> None:
    answer = await keyed.client.get("/v1/platforms", headers=[(b"X-API-Key", key)])
    assert slug(answer) == (401, "invalid-api-key")


async def test_two_different_keys_are_one_too_many(keyed: Gateway) -> None:
    keys = [("X-API-Key", key_of("web")), ("X-API-Key", key_of("bot"))]
    assert slug(await keyed.client.get("/v1/platforms", headers=keys)) == (400, "invalid-request")
    assert (await keyed.client.get("/v1/platforms", headers=[keys[0], keys[0]])).status_code == 200


async def test_probes_need_no_key(keyed: Gateway) -> None:
    assert [(await keyed.client.get(path)).status_code for path in ("/livez", "/readyz", "/nowhere")] == [
        200,
        200,
        404,
    ]


async def test_what_needs_no_key_is_no_leave_for_what_does(keyed: Gateway) -> None:
    """The same headers, again and again."""
    for _ in range(2):
        assert (await keyed.client.get("/livez")).status_code == 200
        assert slug(await keyed.client.get("/v1/platforms")) == (401, "invalid-api-key")
    async with keyed.as_caller("bot") as client:
        for _ in range(2):
            assert (await client.get("/v1/connections/acme/101")).status_code == 200
            answer = await client.post("/v1/connections/acme/102/accept")
            assert slug(answer) == (403, "not-allowed")
            assert slug(await client.get("/v1/%70latforms")) == (404, "not-found")


async def test_without_callers_a_key_says_nothing(gateway: Gateway) -> None:
    answer = await gateway.client.get("/v1/connections/acme/101", headers={"X-API-Key": "a-key-that-nobody-has"})
    assert answer.status_code == 200


async def test_two_keys_are_good_while_one_takes_the_others_place() -> None:
    rotating = caller("web") | {"key_sha256": [key_digest(key_of("old")), key_digest(key_of("new"))]}
    async with running(OWN, [rotating]) as gateway:
        for name, status in {"old": 200, "new": 200, "web": 401}.items():
            async with gateway.as_caller(name) as client:
                assert (await client.get("/v1/platforms")).status_code == status


async def test_each_key_is_compared_with_all_in_constant_time(
    keyed: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[str, str]] = []

    def counting(known: str, given: str) -> bool:
        compared.append((known, given))
        return hmac.compare_digest(known, given)

    monkeypatch.setattr(callers, "compare_digest", counting)
    for name in ("web", "bot", "nobody"):
        async with keyed.as_caller(name) as client:
            await client.get("/v1/platforms")
    known = [key_digest(key_of(name)) for name in ("web", "bot")]
    given = [key_digest(key_of(name)) for name in ("web", "bot", "nobody")]
    assert compared == [(each, other) for other in given for each in known]


async def test_the_line_in_the_log_names_the_caller_and_not_its_key(keyed: Gateway) -> None:
    async with keyed.as_caller("bot") as client:
        await client.get("/v1/connections/acme/101")
    line = keyed.logged()[-1]
    assert (line["event"], line["caller"]) == ("request", "bot")
    assert key_of("bot") not in "".join(keyed.lines)


async def test_a_callers_key_goes_to_no_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def noting(user: Callable[[str], int | None]) -> Callable[[str], int | None]:
        def note(token: str) -> int | None:
            seen.append(token)
            return user(token)

        return note

    async with running(CALLERS, [caller("web")]) as gateway:
        for simulator in gateway.simulators.values():
            monkeypatch.setattr(simulator.platform.tokens, "user", noting(simulator.platform.tokens.user))
        async with gateway.as_caller("web", sessionToken="demo", Authorization="Bearer demo") as client:
            for name in ("acme", "club"):
                assert (await client.get(f"/v1/connections/{name}/101")).status_code == 200
    assert set(seen) == {"demo"}


async def test_a_gateway_with_callers_answers_any_host(keyed: Gateway) -> None:
    async with keyed.client_at("http://gateway.example", **{"X-API-Key": key_of("web")}) as client:
        assert (await client.get("/v1/platforms")).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
        assert slug(await client.get("/v1/platforms", headers={"Origin": "http://evil.example"})) == (
            403,
            "not-allowed",
        )
        assert slug(await client.get("/livez", headers={"Host": "a b"})) == (400, "invalid-request")


async def test_no_key_is_nobodys_key_whatever_is_configured() -> None:
    nothing = caller("nothing") | {"key_sha256": key_digest("")}
    async with running(OWN, [nothing]) as gateway:
        assert slug(await gateway.client.get("/v1/platforms", headers={"X-API-Key": ""})) == (401, "invalid-api-key")
