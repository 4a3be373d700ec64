"""What happens at one replica is sent to those who watch at another."""

from __future__ import annotations

from tests.events.sending import EVENTS, event, post, signed
from tests.gateways import OWN
from tests.shared.replicas import replicas, until
from tests.shared.valkey import Valkey
from tests.watching.watcher import Watcher, watching


async def test_an_action_and_an_event_reach_the_streams_of_another(valkey: Valkey) -> None:
    async with (
        replicas(valkey, 2, OWN, events=EVENTS, watch={"interval": 3600.0}) as gateways,
        watching(gateways[1].app, "acme:102", "club:102") as watcher,
    ):
        await until_sent(watcher, {"acme:102": "pending_incoming", "club:102": "pending_incoming"})
        await gateways[0].act(102, "accept")
        await until_sent(watcher, {"acme:102": "connected", "club:102": "pending_incoming"})
        gateways.club.platform.set_connection(1, 102, "connected")
        body = event(1, 1, 102)
        assert await post(gateways[0].app, body, signed(body)) == (204, None)
        await until_sent(watcher, {"acme:102": "connected", "club:102": "connected"})


async def until_sent(watcher: Watcher, statuses: dict[str, str]) -> None:
    async def sent() -> dict[str, str]:
        return watcher.statuses

    await until(sent, statuses)
