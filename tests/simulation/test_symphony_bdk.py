"""Symphony's own bot kit, unmodified, against the simulated pod."""

from __future__ import annotations

from urllib.parse import urlsplit

from symphony.bdk.core.config.model.bdk_config import BdkConfig
from symphony.bdk.core.symphony_bdk import SymphonyBdk

from adapters.simulation import serving, simulator
from adapters.simulation.faults import Fault
from tests.gateways import KEY


def bot_kit(url: str) -> SymphonyBdk:
    where = urlsplit(url)
    key = {"content": KEY}
    config = {"scheme": where.scheme, "host": where.hostname, "port": where.port}
    return SymphonyBdk(BdkConfig(**config, bot={"username": "demo", "privateKey": key}))


async def test_it_logs_in_and_reads_a_connection() -> None:
    pod = simulator("symphony")
    async with serving(pod) as url, bot_kit(url) as bdk:
        found = await bdk.connections().get_connection(103)
    assert (found.user_id, found.status) == (103, "PENDING_OUTGOING")
    assert (found.first_requested_at, found.updated_at, found.request_counter) == (1470018073812, 1471018076255, 1)
    assert pod.calls.logins == 1


async def test_it_reads_an_implicit_connection() -> None:
    async with serving(simulator("symphony")) as url, bot_kit(url) as bdk:
        found = await bdk.connections().get_connection(106)
    assert (found.status, found.updated_at) == ("ACCEPTED", None)


async def test_it_renews_an_expired_session() -> None:
    pod = simulator("symphony")
    async with serving(pod) as url, bot_kit(url) as bdk:
        await bdk.connections().get_connection(103)
        pod.misbehave(Fault(expire_sessions=True))
        found = await bdk.connections().get_connection(101)
    assert found.status == "ACCEPTED"
    assert pod.calls.by_path["POST /relay/pubkey/authenticate"] == 1
