"""What identity depends on, and what it does not: principals are cached by a hash of the headers that name one."""

from __future__ import annotations

import pytest

from gateway.auth.authorization import ANONYMOUS
from gateway.auth.principal import MAX_ENTRIES, Principal, PrincipalCache
from gateway.auth.request_headers import RequestHeaders
from tests.gateways import CALLERS, OWN, Gateway, caller, key_of, running

NAMES = ("Host", "Origin", "X-API-Key", "sessionToken")
KNOWN = Principal(ANONYMOUS, {})


def headers(**given: str) -> RequestHeaders:
    return RequestHeaders([(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()])


def cached(*several: RequestHeaders) -> PrincipalCache:
    cache = PrincipalCache(NAMES)
    for each in several:
        cache.keep(each, KNOWN)
    return cache


@pytest.mark.parametrize(
    "other",
    [
        {"b3": "1-2-3"},
        {"x_forwarded_for": "192.0.2.7"},
        {"if_none_match": '"a"'},
        {"user_agent": "x", "baggage": "y"},
    ],
    ids=str,
)
def test_other_headers_make_no_difference(other: dict[str, str]) -> None:
    cache = cached(headers(host="a", x_api_key="k"))
    assert cache.get(headers(host="a", x_api_key="k", **other)) is KNOWN


@pytest.mark.parametrize(
    "other",
    [
        {"host": "b", "x_api_key": "k"},
        {"host": "a", "x_api_key": "K"},
        {"host": "a"},
        {"host": "a", "x_api_key": "k", "origin": ""},
        {"host": "a", "x_api_key": "k", "sessiontoken": "t"},
        {"host": "a", "sessiontoken": "k"},
        {"x_api_key": "a", "sessiontoken": "k"},
    ],
    ids=str,
)
def test_each_identity_header_does(other: dict[str, str]) -> None:
    assert cached(headers(host="a", x_api_key="k")).get(headers(**other)) is None


def test_a_header_that_is_repeated_is_never_taken_from_the_cache() -> None:
    repeated = RequestHeaders([(b"host", b"a"), (b"x-api-key", b"k"), (b"x-api-key", b"other")])
    cache = cached(repeated, headers(host="a", x_api_key="other"))
    assert cache.get(repeated) is None


def test_neither_keys_nor_tokens_stay_in_memory() -> None:
    cache = cached(headers(host="a", x_api_key="secret-of-the-caller"))
    assert all(len(key) == 32 and b"secret" not in key for key in cache._principals)  # noqa: SLF001


def test_the_cache_is_bounded() -> None:
    cache = cached(*(headers(host="a", x_api_key=str(number)) for number in range(3 * MAX_ENTRIES)))
    assert len(cache._principals) <= MAX_ENTRIES  # noqa: SLF001


@pytest.mark.parametrize("more", [{}, {"b3": "{}"}, {"X-Forwarded-For": "{}"}], ids=str)
async def test_behind_a_mesh_a_key_is_compared_once(more: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def count(one: str, other: str) -> bool:
        nonlocal compared
        compared += 1
        return one == other

    monkeypatch.setattr("gateway.auth.callers.compare_digest", count)
    async with running(OWN, [caller("web")]) as gateway:
        for number in range(10):
            sent = {name: value.format(number) for name, value in more.items()}
            answer = await gateway.client.get("/v1/platforms", headers={"X-API-Key": key_of("web"), **sent})
            assert answer.status_code == 200
    assert compared == 1


async def test_who_brings_another_token_is_another_viewer() -> None:
    async with running(CALLERS, cache={"fresh_for": 60, "stale_for": 60}) as gateway:
        gateway.acme.platform.tokens.accept("token-of-105", 105)
        found = [await status(gateway, token) for token in ("demo", "token-of-105", "demo")]
    assert found == ["connected", "none", "connected"]


async def status(gateway: Gateway, token: str) -> str:
    answer = await gateway.client.get("/v1/connections/acme/101", headers={"sessionToken": token})
    return str(answer.json()["status"])
