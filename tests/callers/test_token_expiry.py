"""How long a token is good, also where what its headers mean is remembered."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gateway.auth.callers import Callers
from gateway.auth.request_headers import RequestHeaders
from tests.callers.asking import ask, slug
from tests.callers.tokens import token
from tests.gateways import Gateway


class Clock:
    """The wall clock, which a test moves on."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._now = time.time

    def __call__(self) -> float:
        return self._now() + self.ahead


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


async def test_a_token_that_was_good_expires(signing: Gateway, wall: Clock) -> None:
    """Also where the same headers came a moment ago, and what they mean is remembered."""
    sent = token(exp=time.time() + 60)
    for _ in range(2):
        assert (await ask(signing, sent)).status_code == 200
    wall.ahead = 85
    assert (await ask(signing, sent)).status_code == 200
    wall.ahead = 91
    for _ in range(2):
        answer = await ask(signing, sent)
        assert (slug(answer), "expired" in answer.json()["detail"]) == ("invalid-api-key", True)


async def test_a_token_is_verified_once_while_it_is_good(
    signing: Gateway, wall: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    of = Callers.of

    def counting(callers: Callers, headers: RequestHeaders) -> Any:
        verified.append("once")
        return of(callers, headers)

    monkeypatch.setattr(Callers, "of", counting)
    sent = token()
    for _ in range(5):
        await ask(signing, sent)
    assert len(verified) == 1
    wall.ahead = 1000
    for _ in range(2):
        assert slug(await ask(signing, sent)) == "invalid-api-key"
    assert len(verified) == 3
