"""Forged, misused and malformed tokens: each is an unknown or unusable key, and asks no platform."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tests.callers.asking import ACCEPT
from tests.callers.attacks import GROUPS
from tests.callers.tokens import ED, ED_HEADER, KIOSK, KIOSK_HEADER, claims, signed, token
from tests.gateways import Gateway


async def accept(gateway: Gateway, key: str) -> httpx.Response:
    return await gateway.client.post(ACCEPT, headers=[(b"X-API-Key", key.encode("latin-1"))])


def test_there_are_at_least_200() -> None:
    assert sum(len(dict(group())) for group in GROUPS.values()) >= 200


@pytest.mark.parametrize("group", GROUPS)
async def test_each_is_refused(signing: Gateway, group: str) -> None:
    answered: dict[str, tuple[int, str]] = {}
    for name, forged in GROUPS[group]():
        answer = await accept(signing, forged)
        answered[name] = answer.status_code, answer.json().get("type", "")
    others = {name: told for name, told in answered.items() if told != (401, "/problems/invalid-api-key")}
    assert others == {}
    assert answered
    assert signing.calls == 0


@pytest.mark.parametrize(
    "good",
    [
        token,
        lambda: signed(ED_HEADER, key=ED),
        lambda: signed(KIOSK_HEADER, claims(iss="https://kiosk.example"), KIOSK),
    ],
    ids=["RS256", "EdDSA", "PEM"],
)
async def test_what_they_are_made_from_is_accepted(signing: Gateway, good: Callable[[], str]) -> None:
    assert (await accept(signing, good())).json()["status"] == "connected"


async def test_a_token_with_another_character_is_refused_wherever_it_stands(signing: Gateway) -> None:
    good = signed(ED_HEADER, key=ED)
    for place, right in enumerate(good):
        for wrong in {"A", "Q", "_", ".", "=", "!"} - {right}:
            answer = await accept(signing, good[:place] + wrong + good[place + 1 :])
            assert answer.status_code == 401, (place, wrong)
    assert signing.calls == 0
