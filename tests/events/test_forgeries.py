"""Ten thousand events, forged, tampered with, replayed, late, and in any order: each genuine one counts once."""

from __future__ import annotations

import asyncio
import random
import time

from tests.clock import virtual
from tests.events.sending import EVENTS, SECRET, event, post, signed
from tests.events.test_webhooks import NEVER, outcomes
from tests.gateways import Gateway, running
from tests.watching.watcher import watching

EVENTS_SENT = 10_000
SEED = 20261129
USERS = range(1000, 1400)
STEPS = ("none", "pending_outgoing", "connected")
"""Every user takes these: none is sent after a later one."""


@virtual
async def test_none_is_taken_that_the_community_did_not_send_and_each_counts_once() -> None:
    chance = random.Random(SEED)  # noqa: S311  it makes a test
    async with running(events=EVENTS, watch=NEVER) as gateway:
        for user in USERS:
            gateway.club.platform.set_connection(1, user, None)
        async with watching(gateway.app, *(f"club:{user}" for user in USERS)) as watcher:
            await asyncio.sleep(1)
            taken = await send_them(gateway, chance)
            await asyncio.sleep(1)
            found = await outcomes(gateway)
            assert found["taken"] == len(taken)
            assert found["invalid"] > EVENTS_SENT / 4
            assert found["duplicate"] > EVENTS_SENT / 10
            true = {f"club:{user}": gateway.club.platform.connection(1, user) for user in USERS}
            words = {None: "none", "sent_connection_request": "pending_outgoing", "connected": "connected"}
            assert watcher.statuses == {user: words[status] for user, status in true.items()}
            for user in USERS:
                steps = [STEPS.index(data["status"]) for _, data in watcher.events if data["user_id"] == str(user)]
                assert steps == sorted(set(steps))


async def send_them(gateway: Gateway, chance: random.Random) -> set[int]:
    """The events that are to be taken, by id."""
    waiting: list[tuple[int, bytes]] = []
    seen: list[tuple[bytes, str]] = []
    taken: set[int] = set()
    todo = [user for user in USERS for _ in STEPS[1:]]
    chance.shuffle(todo)
    for number in range(EVENTS_SENT):
        if todo and chance.random() < 0.2:
            waiting.append((number, event(number, 1, change(gateway, todo.pop()))))
        user = chance.choice(USERS)
        match chance.randrange(10):
            case 0 | 1 | 2 if waiting:  # in any order, some of them at the last repetition
                number_of, body = waiting.pop(chance.randrange(len(waiting)))
                signature = signed(body, ago=chance.choice([0, 5, 200, 3600, 65 * 60]))
                assert await post(gateway.app, body, signature) == (204, None)
                taken.add(number_of)
                seen.append((body, signature))
            case 3 | 4 | 5 if seen:  # the same again
                body, signature = chance.choice(seen)
                assert await post(gateway.app, body, signature) == (204, None)
            case 6 if seen:  # changed on its way
                body, signature = chance.choice(seen)
                place = chance.randrange(len(body))
                tampered = body[:place] + bytes([body[place] ^ 1 << chance.randrange(8)]) + body[place + 1 :]
                assert (await post(gateway.app, tampered, signature))[0] == 401
            case 7 if seen:  # replayed under another time
                body, signature = chance.choice(seen)
                later = f"t={int(time.time()) + chance.randint(1, 100)},{signature.partition(',')[2]}"
                assert (await post(gateway.app, body, later))[0] == 401
            case 8:  # too old, or from the future
                body = event(EVENTS_SENT + number, 1, user)
                assert await post(gateway.app, body, signed(body, ago=chance.choice([7300, -400]))) == (204, None)
            case _:  # forged
                body = event(EVENTS_SENT + number, 1, user)
                secret = chance.choice([SECRET[:-1], SECRET.upper(), "", "x" * 40])
                assert (await post(gateway.app, body, signed(body, secret=secret)))[0] == 401
        if chance.random() < 0.05:
            await asyncio.sleep(chance.choice([0.01, 0.1]))
    for number_of, body in waiting:
        assert await post(gateway.app, body, signed(body, ago=65 * 60)) == (204, None)
        taken.add(number_of)
    return taken


def change(gateway: Gateway, user: int) -> int:
    """Take the next step of this user, whom it returns."""
    step = "connected" if gateway.club.platform.connection(1, user) else "sent_connection_request"
    gateway.club.platform.set_connection(1, user, step)
    return user
