"""Ten thousand actions, and whatever can go wrong with them: none is sent twice, and no answer is false."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any, Final

import httpx
import pytest

from adapters.contract import Action, Status
from adapters.simulation.faults import Fault
from gateway.platforms.actions import GOALS
from tests import clock
from tests.contract.dialects import DIALECTS
from tests.gateways import ADAPTERS, OWN, Gateway, running

ACTIONS: Final = 10_000
SEED: Final = 20261122
WORDS: Final = {
    name: next(dialect.words for dialect in DIALECTS if dialect.adapter == adapter)
    for name, adapter in ADAPTERS.items()
}
READS: Final = {"acme": "/info", "club": "/connection_status/", "site": "GET /friends/"}
"""Of a path, or a method and of a path."""
ACTS: Final = {
    "acme": {"request": "/create", "accept": "/accept", "reject": "/reject", "remove": "/remove"},
    "club": {
        "request": "/connection/request/",
        "accept": "/accept/",
        "reject": "/reject/",
        "cancel": "/cancel_request/",
        "remove": "/remove/",
    },
    "site": {
        "request": "POST /friends",
        "accept": "PUT /friends/",
        "reject": "DELETE /friends/",
        "cancel": "DELETE /friends/",
        "remove": "DELETE /friends/",
    },
}

MISHAPS: Final[list[dict[str, Any]]] = [
    {"delay": 0.001},
    {"drop": True},
    {"drop": True, "delay": 0.7},
    *({"status": status} for status in (500, 502, 503, 504)),
    *({"delay": delay} for delay in (0.3, 1.2, 1.45, 1.55, 1.8, 30)),
    {"delay": 1.6, "status": 500},
    {"body": "<html>"},
    {"body": {}},
    {"status": 408},
    *({"status": status, "body": "<html>"} for status in (403, 422, 500)),
]
REFUSALS: Final[list[dict[str, Any]]] = [
    *({"status": status} for status in (400, 404, 409, 422)),
    {"delay": 1.7, "status": 400},
]
"""Answers to an action that say of a read's user what is not true."""
CERTAIN: Final[list[dict[str, Any]]] = [{"status": 403}, {"status": 429, "retry_after": 1}]
"""Answers after which nothing was done: they never go with `apply`."""


@pytest.mark.no_cover  # to be traced makes it three times as slow, and each of its lines is traced by other tests
def test_no_action_is_sent_twice_and_no_answer_is_false() -> None:
    outcomes = clock.run(everything())
    assert sum(outcomes.values()) == ACTIONS
    assert {
        *["done", "outcome-unknown", "platform-timeout", "platform-error", "platform-unreachable"],
        *["platform-invalid-answer", "platform-throttled", "platform-forbidden", "action-not-possible"],
    } <= set(outcomes)
    assert outcomes["done"] > ACTIONS / 4


async def everything() -> Counter[str]:
    chance = random.Random(SEED)  # noqa: S311  replayable, not secret
    outcomes: Counter[str] = Counter()
    site = {"mode": "token", "token": "demo"}
    async with running({**OWN, "site": site}, request_timeout=2.0) as gateway:
        for number in range(ACTIONS):
            outcomes[await one(gateway, chance, 10_000 + number)] += 1
    return outcomes


async def one(gateway: Gateway, chance: random.Random, user: int) -> str:
    """One action on somebody new, with faults on its way; the name of its outcome."""
    name = chance.choice(list(ACTS))
    action = chance.choice(list(ACTS[name]))
    platform = gateway.simulators[name].platform
    before = chance.choice(list(WORDS[name]))
    platform.set_connection(1, user, before)
    gateway.simulators[name].misbehave(*faults(chance, READS[name], ACTS[name][action]))
    gateway.simulators[name].calls.reset()
    answer = await gateway.client.post(f"/v1/connections/{name}/{user}/{action}", headers=patience(chance))
    now = platform.connection(1, user)
    outcome = checked(answer, WORDS[name][before], WORDS[name][now], Action(action))
    gateway.simulators[name].misbehave()
    await asyncio.sleep(10)
    method, _, path = ACTS[name][action].rpartition(" ")
    calls = gateway.simulators[name].calls.by_path
    sent = [times for call, times in calls.items() if call.startswith(method) and path in call]
    assert sum(sent) <= 1
    return outcome


def checked(answer: httpx.Response, before: Status, now: Status, action: Action) -> str:
    said = answer.json()
    if answer.status_code == 200:
        assert said["status"] in GOALS[action]
        assert said["status"] == now or {said["status"], now} == {Status.REJECTED, Status.NONE}
        return "done"
    slug = str(said["type"]).removeprefix("/problems/")
    if slug == "action-not-possible":
        assert said["connection"]["status"] == now
    if slug != "outcome-unknown":
        assert now is before
    return slug


def patience(chance: random.Random) -> dict[str, str]:
    """Most callers wait as long as they may."""
    return {"X-Request-Timeout-Ms": str(chance.choice([50, 400, 1200]))} if chance.random() < 0.15 else {}


def on(call: str) -> dict[str, Any]:
    """Which calls a fault is for."""
    method, _, path = call.rpartition(" ")
    return {"method": method, "path": path}


def faults(chance: random.Random, read: str, act: str) -> list[Fault]:
    """Something on the way of the action, and now and then of the reads around it."""
    if chance.random() < 0.1:
        found = [Fault(**on(act), **chance.choice(CERTAIN))]
    else:
        found = [Fault(**on(act), apply=chance.random() < 0.5, **chance.choice([*MISHAPS, *REFUSALS]))]
    if chance.random() < 0.1:
        found.append(Fault(**on(read), **chance.choice(MISHAPS)))
    elif chance.random() < 0.3:
        found += [Fault(**on(read), times=1, delay=0.001), Fault(**on(read), **chance.choice(MISHAPS))]
    return found
