"""Callers that send short-lived tokens in place of a key: who is let in, and what those who are not are told."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.auth.callers import key_digest
from gateway.config.converter import from_tables
from tests.callers.asking import ACCEPT, LOOKUP, ask, slug
from tests.callers.tokens import (
    AUDIENCE,
    ED,
    ED_HEADER,
    ISSUER,
    KIOSK,
    KIOSK_HEADER,
    RSA,
    claims,
    jwk,
    key_set,
    page,
    pem,
    signed,
    signer,
    token,
)
from tests.gateways import OWN, Gateway, caller, key_of, running, tables

GOOD: dict[str, Callable[[], str]] = {
    "RS256": token,
    "EdDSA": lambda: signed(ED_HEADER, key=ED),
    "one key in PEM": lambda: signed(KIOSK_HEADER, claims(iss="https://kiosk.example"), KIOSK),
    "one key in PEM, which the token names": lambda: signed(
        KIOSK_HEADER | {"kid": "any"}, claims(iss="https://kiosk.example"), KIOSK
    ),
    "without a type": lambda: signed({"alg": "RS256", "kid": "rsa-1"}),
    "of a type in lower case": lambda: signed({"alg": "RS256", "kid": "rsa-1", "typ": "jwt"}),
    "for several audiences": lambda: token(aud=["https://other.example", AUDIENCE]),
    "with everything that is registered": lambda: token(sub="x", jti="y", iat=int(time.time()), nbf=0),
    "with a fraction of a second": lambda: token(exp=time.time() + 60.5),
    "for 15 minutes": lambda: token(exp=int(time.time()) + 900),
    "expired by less than the slack": lambda: token(exp=int(time.time()) - 5),
    "valid a little later": lambda: token(nbf=int(time.time()) + 20, iat=int(time.time()) + 20),
}


@pytest.mark.parametrize("name", GOOD)
async def test_a_token_lets_in(signing: Gateway, name: str) -> None:
    assert (await ask(signing, GOOD[name]())).json()["status"] == "connected"


async def test_keys_go_on_beside_tokens(signing: Gateway) -> None:
    assert (await ask(signing, key_of("bot"))).status_code == 200
    assert slug(await ask(signing, "a.b.c")) == "invalid-api-key"


async def test_a_key_may_look_like_a_token(tmp_path: Path) -> None:
    looks = token()
    async with running(OWN, [page(tmp_path), caller("bot") | {"key_sha256": key_digest(looks)}]) as gateway:
        await ask(gateway, looks)
        assert gateway.logged()[-1]["caller"] == "bot"


async def test_a_gateway_whose_callers_all_send_tokens_is_not_open(tmp_path: Path) -> None:
    async with running(OWN, [page(tmp_path)]) as gateway:
        assert slug(await gateway.client.get(LOOKUP)) == "invalid-api-key"
        assert slug(await ask(gateway, "x")) == "invalid-api-key"
        assert gateway.calls == 0


async def test_the_log_names_the_caller_and_nothing_of_the_token(signing: Gateway) -> None:
    sent = token(sub="769658112378", jti="id-of-the-token-91b7")
    await ask(signing, sent, ACCEPT)
    assert {line["caller"] for line in signing.logged()} == {"page"}
    written = "".join(signing.lines)
    assert all(each not in written for each in ("769658112378", "id-of-the-token-91b7", *sent.split(".")))


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"exp": 1}, "it has expired"),
        ({"exp": 10**12}, "exp: expected at most 900 seconds from now"),
        ({"nbf": 10**12}, "it is not valid yet"),
        ({"aud": "other"}, "it is for another audience"),
        ({"exp": ...}, "exp: missing"),
        ({"exp": "1"}, "exp: not as expected"),
        ({"may": ["read", "act", "all"]}, "may[2]: not as expected"),
        ({"on_behalf_of": ["769658112378 x"]}, "on_behalf_of[0]: not as expected"),
        ({"secret-name-4f1d": 1}, "a claim that is not known here"),
    ],
)
async def test_a_signer_is_told_what_is_wrong(signing: Gateway, other: dict[str, Any], why: str) -> None:
    detail = (await ask(signing, token(**other))).json()["detail"]
    assert detail == f"X-API-Key: the token is not good here: {why}"


async def test_a_stranger_is_told_nothing(signing: Gateway) -> None:
    expired = claims(exp=1)
    for sent in (signed(payload=expired, key=KIOSK), signed({"alg": "RS256", "kid": "other"}, expired), "x.y.z"):
        assert (await ask(signing, sent)).json()["detail"] == "X-API-Key: no caller has this key"


def test_the_key_file_is_read_when_the_configuration_is(tmp_path: Path) -> None:
    """The same path with other content is another configuration."""
    entry = signer(tmp_path / "keys.json", key_set(jwk("rsa-1", RSA)))
    before = from_tables(tables(OWN, callers=[entry])).callers
    assert before == from_tables(tables(OWN, callers=[entry])).callers
    (tmp_path / "keys.json").write_text(pem(KIOSK))
    after = from_tables(tables(OWN, callers=[entry])).callers
    assert before != after
    assert before[0].jwt_issuer == after[0].jwt_issuer == ISSUER
