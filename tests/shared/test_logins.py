"""One session for each viewer over all replicas, and one login for all who wait anywhere."""

from __future__ import annotations

import asyncio

from adapters.simulation.faults import Fault
from tests.gateways import NAMED, OWN, THOUSAND, caller
from tests.shared.replicas import KEY, OTHER_KEY, Replicas, replicas
from tests.shared.valkey import Valkey


def logins(gateways: Replicas) -> int:
    return gateways.acme.calls.logins


async def test_an_expired_session_is_one_login_for_all(valkey: Valkey) -> None:
    server = {"max_concurrency": 4000}
    async with replicas(valkey, 3, OWN, each=THOUSAND, server=server) as gateways:
        for each in gateways.each:
            assert await each.status(101) == "connected"
        assert logins(gateways) == 1
        gateways.acme.misbehave(Fault(expire_sessions=True))
        users = range(1000, 1100)
        found = await asyncio.gather(*(each.status(user) for each in gateways.each for user in users))
        assert found == ["connected"] * 300
        assert logins(gateways) == 2


async def test_a_replica_that_starts_takes_the_session_that_there_is(valkey: Valkey) -> None:
    async with replicas(valkey, 2) as gateways:
        await gateways[0].status(101)
        assert await gateways[1].status(101) == "connected"
        assert logins(gateways) == 1
        assert await gateways[1].metric("login_hits_total") == 1


async def test_a_session_that_is_old_twice_over_is_replaced(valkey: Valkey) -> None:
    async with replicas(valkey, 2) as gateways:
        await gateways[1].status(101)
        for user in (102, 103):
            gateways.acme.misbehave(Fault(expire_sessions=True))
            await gateways[0].status(user)
        gateways.acme.misbehave(Fault(expire_sessions=True))
        assert await gateways[1].status(103) == "pending_outgoing"
        assert logins(gateways) == 4


async def test_calls_that_are_refused_together_under_an_old_token_all_use_the_new_one(valkey: Valkey) -> None:
    """The first has replaced the token by the time that the second finds it refused."""
    async with replicas(valkey, 2) as gateways:
        await gateways[1].status(101)
        gateways.acme.misbehave(Fault(expire_sessions=True))
        await gateways[0].status(102)
        gateways.acme.misbehave(Fault(expire_sessions=True), Fault(path="/connection", delay=0.2))
        calls = gateways.acme.calls.calls
        first = asyncio.create_task(gateways[1].status(103))
        while gateways.acme.calls.calls == calls:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert await gateways[1].status(104) == "rejected"
        assert await first == "pending_outgoing"
        assert logins(gateways) == 3


async def test_viewers_have_sessions_of_their_own(valkey: Valkey) -> None:
    callers = [caller("web", on_behalf_of=["*"])]
    async with replicas(valkey, 2, NAMED, callers=callers) as gateways:
        for each in gateways.each:
            for viewer in ("1", "101"):
                assert await each.status(102, caller="web", X_On_Behalf_Of=viewer) != ""
        assert logins(gateways) == 3


async def test_a_login_that_is_refused_is_refused_for_whoever_waited(valkey: Valkey) -> None:
    async with replicas(valkey, 2) as gateways:
        gateways.acme.misbehave(Fault(path="/authenticate", status=401))
        found = await asyncio.gather(*(each.status(101) for each in gateways.each))
        assert found == ["platform-credential-refused"] * 2
        gateways.acme.misbehave()


async def test_a_lease_runs_out_if_its_holder_does_not_come_back(valkey: Valkey) -> None:
    async with replicas(valkey, 2, server={"request_timeout": 3.0}) as gateways:
        gateways.acme.misbehave(Fault(path="/authenticate", delay=30, times=1))
        hanging = asyncio.create_task(gateways[0].status(101))
        while not logins(gateways):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert await gateways[1].status(101) == "connected"
        assert await gateways[1].metric("lease_waits_total") > 0
        assert logins(gateways) == 2
        assert await hanging == "platform-timeout"


async def test_a_token_under_another_credential_or_key_is_not_taken(valkey: Valkey) -> None:
    async with replicas(valkey, 2, tables_of=[{"key": KEY}, {"key": OTHER_KEY}]) as gateways:
        for each in gateways.each:
            assert await each.status(101) == "connected"
        assert logins(gateways) == 2


async def test_a_token_under_the_previous_key_is_taken(valkey: Valkey) -> None:
    after = {"key": OTHER_KEY, "previous_key": KEY}
    async with replicas(valkey, 2, tables_of=[{"key": KEY}, after]) as gateways:
        for each in gateways.each:
            assert await each.status(101) == "connected"
        assert logins(gateways) == 1


async def test_a_token_that_was_put_under_another_name_is_nothing(valkey: Valkey) -> None:
    callers = [caller("web", on_behalf_of=["*"])]
    async with replicas(valkey, 2, NAMED, callers=callers) as gateways:
        for viewer in ("1", "101"):
            await gateways[0].status(102, caller="web", X_On_Behalf_Of=viewer)
        names = sorted(valkey.client.scan_iter(match="*:token:*"))
        assert len(names) == 3
        values = [valkey.client.get(name) for name in names]
        for name, value in zip(names, values[1:] + values[:1], strict=True):
            valkey.client.set(name, value or b"")
        before = logins(gateways)
        assert await gateways[1].status(102, caller="web", X_On_Behalf_Of="1") != ""
        assert logins(gateways) > before
        assert await gateways[1].metric("login_hits_total") == 0
