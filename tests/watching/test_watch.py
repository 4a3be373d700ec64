"""`/v1/watch` in process, on a virtual clock: what is sent, when, and how often platforms are asked for it."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec

from adapters.simulation.faults import Fault
from tests.clock import virtual
from tests.gateways import CALLERS, NAMED, OWN, caller, key_of, running
from tests.watching.watcher import Watcher, watching

INTERVAL = 10.0
NEVER = {"interval": 3600.0}
"""Nothing is read without a reason."""
LIST = "GET /pod/v1/connection/list"


@virtual
async def test_a_stream_begins_with_every_state_and_goes_on_with_changes() -> None:
    async with running() as gateway, watching(gateway.app, "acme:101", "acme:102", "club:102") as watcher:
        await asyncio.sleep(1)
        assert watcher.status == 200
        assert watcher.headers["content-type"] == "text/event-stream"
        assert watcher.headers["cache-control"] == "no-store"
        assert watcher.headers["x-accel-buffering"] == "no"
        assert watcher.text.startswith("retry: 2000\n\n")
        assert watcher.statuses == {
            "acme:101": "connected",
            "acme:102": "pending_incoming",
            "club:102": "pending_incoming",
        }
        gateway.acme.platform.set_connection(1, 102, "ACCEPTED")
        await asyncio.sleep(INTERVAL)
        assert watcher.statuses["acme:102"] == "connected"
        assert len(watcher.events) == 4


@virtual
async def test_an_event_has_what_a_lookup_returns() -> None:
    async with running() as gateway, watching(gateway.app, "acme:101", query=True) as watcher:
        await asyncio.sleep(1)
        (event,) = watcher.events
        looked_up = (await gateway.client.get("/v1/connections/acme/101")).json()
        assert event == ("connection", looked_up | {"as_of": event[1]["as_of"]})


@virtual
async def test_one_batch_read_for_each_viewer_and_interval_whatever_the_number_of_streams() -> None:
    users = [f"acme:{each}" for each in range(1000, 1100)]
    async with running() as gateway:
        async with (
            watching(gateway.app, *users) as one,
            watching(gateway.app, *users) as two,
            watching(gateway.app, *users, query=True) as three,
        ):
            await asyncio.sleep(1)
            assert gateway.acme.calls.by_path[LIST] in {1, 2}  # the first interval may end at any time
            await asyncio.sleep(10 * INTERVAL)
            assert 11 <= gateway.acme.calls.by_path[LIST] <= 12
            assert len(one.events) == len(two.events) == len(three.events) == 100
        await asyncio.sleep(10 * INTERVAL)
        assert gateway.acme.calls.by_path[LIST] <= 12


@virtual
async def test_a_state_that_another_stream_watches_is_sent_at_once() -> None:
    async with running(watch=NEVER) as gateway, watching(gateway.app, "acme:101"):
        await asyncio.sleep(1)
        calls = gateway.acme.calls.calls
        async with watching(gateway.app, "acme:101") as second:
            await asyncio.sleep(1)
            assert second.statuses == {"acme:101": "connected"}
        assert gateway.acme.calls.calls == calls


@virtual
async def test_an_action_is_sent_at_once() -> None:
    async with running() as gateway, watching(gateway.app, "acme:102", "acme:101") as watcher:
        await asyncio.sleep(1)
        await gateway.client.post("/v1/connections/acme/102/accept")
        await asyncio.sleep(0.1)
        assert watcher.statuses["acme:102"] == "connected"
        assert len(watcher.events) == 3


@virtual
async def test_what_any_lookup_finds_is_sent_at_once() -> None:
    async with running() as gateway, watching(gateway.app, "acme:102", "acme:101") as watcher:
        await asyncio.sleep(1)
        gateway.acme.platform.set_connection(1, 102, "ACCEPTED")
        await gateway.client.get("/v1/connections/acme/102")
        await asyncio.sleep(0.01)
        assert watcher.statuses["acme:102"] == "connected"


@virtual
async def test_a_fresh_answer_is_not_asked_for_again() -> None:
    async with running(cache={"fresh_for": 5.0}, watch=NEVER) as gateway:
        await gateway.client.get("/v1/connections/acme/101")
        async with watching(gateway.app, "acme:101") as watcher:
            await asyncio.sleep(1)
            assert watcher.statuses == {"acme:101": "connected"}
        assert gateway.acme.calls.calls == 1


@virtual
async def test_a_stream_begins_with_nothing_older_than_an_interval_however_long_the_cache_keeps_it() -> None:
    async with running(cache={"fresh_for": 600.0}, watch={"interval": 10.0}) as gateway:
        await gateway.client.get("/v1/connections/acme/101")
        gateway.acme.platform.set_connection(1, 101, None)
        for waited, status in ((5, "connected"), (6, "none")):
            await asyncio.sleep(waited)
            async with watching(gateway.app, "acme:101") as watcher:
                await asyncio.sleep(0.5)
                assert watcher.statuses == {"acme:101": status}


@virtual
async def test_problems_are_sent_in_the_place_of_states_and_only_when_they_change() -> None:
    async with running() as gateway:
        users = ["acme:101", "nowhere:1", "club:404404"]
        gateway.acme.misbehave(Fault(path="connection", status=500))
        async with watching(gateway.app, *users) as watcher:
            await asyncio.sleep(3 * INTERVAL)
            assert watcher.statuses == {
                "acme:101": "platform-error",
                "nowhere:1": "unknown-platform",
                "club:404404": "user-not-found",
            }
            assert len(watcher.events) == 3
            gateway.acme.misbehave()
            await asyncio.sleep(4 * INTERVAL)
            assert watcher.statuses["acme:101"] == "connected"
            assert len(watcher.events) == 4


@virtual
async def test_a_platform_that_cannot_be_asked_makes_states_stale_and_then_problems() -> None:
    cache = {"fresh_for": 5.0, "stale_for": 60.0}
    async with running(cache=cache) as gateway, watching(gateway.app, "acme:101") as watcher:
        await asyncio.sleep(1)
        gateway.acme.misbehave(Fault(path="connection", status=500))
        await asyncio.sleep(2 * INTERVAL)
        assert watcher.statuses == {"acme:101": "stale connected"}
        await asyncio.sleep(60)
        assert watcher.statuses["acme:101"].startswith("platform-")
        gateway.acme.misbehave()
        await asyncio.sleep(60)
        assert watcher.statuses == {"acme:101": "connected"}


@virtual
async def test_silence_is_broken_by_comments() -> None:
    async with running() as gateway, watching(gateway.app, "acme:101") as watcher:
        await asyncio.sleep(61)
        assert watcher.comments == 4
        assert len(watcher.events) == 1


@virtual
async def test_a_slow_reader_is_sent_the_newest_state_only_and_holds_up_nobody() -> None:
    async with (
        running() as gateway,
        watching(gateway.app, "acme:102") as slow,
        watching(gateway.app, "acme:102") as quick,
    ):
        await asyncio.sleep(1)
        slow.reads.clear()
        for status in ("ACCEPTED", "REJECTED", "PENDING_OUTGOING", "ACCEPTED", "REJECTED"):
            gateway.acme.platform.set_connection(1, 102, status)
            await gateway.client.get("/v1/connections/acme/102")
            await asyncio.sleep(0.01)
        assert len(quick.events) == 6
        slow.reads.set()
        await asyncio.sleep(0.01)
        assert len(slow.events) <= 3
        assert slow.statuses == quick.statuses == {"acme:102": "rejected"}


@virtual
async def test_many_events_are_written_in_parts() -> None:
    users = [f"acme:{each}" for each in range(1000, 1200)]
    async with running() as gateway, watching(gateway.app, *users) as watcher:
        await asyncio.sleep(1)
        assert len(watcher.events) == 200
        assert watcher.parts == 5  # with the head


@virtual
async def test_there_is_a_most_of_streams_and_none_takes_a_place_of_requests() -> None:
    async with running(max_concurrency=1, watch={"max_streams": 2}) as gateway, contextlib.AsyncExitStack() as opened:

        async def watch() -> Watcher:
            watcher = await opened.enter_async_context(watching(gateway.app, "acme:101"))
            await asyncio.sleep(0.1)
            return watcher

        first, second, third = await watch(), await watch(), await watch()
        assert (first.status, second.status, third.status) == (200, 200, 503)
        assert third.headers["retry-after"] == "5"
        assert (await gateway.client.get("/v1/connections/acme/101")).status_code == 200
        metrics = (await gateway.client.get("/metrics")).text
        assert "connection_gateway_streams 2.0" in metrics
        assert "connection_gateway_max_streams 2.0" in metrics
        assert "connection_gateway_requests_in_work 0.0" in metrics
        await second.leave()
        assert (await watch()).statuses
        await opened.aclose()
        assert (await gateway.client.get("/v1/connections/acme/101")).status_code == 200


@virtual
async def test_what_is_malformed_is_refused_before_anything_is_sent() -> None:
    async with running() as gateway:
        for query, said in [
            ("", "user: expected 1 to 100, not 0"),
            ("&user=acme:1" * 101, "user: expected 1 to 100, not 101"),
            ("user=acme:1&user=101", "user[1]: expected PLATFORM:USER_ID"),
            ("user=acme:0", "user[0]: "),
            ("user=acme:1&users=1", "query: unknown parameter 'users', expected some of user"),
        ]:
            answer = await gateway.client.get(f"/v1/watch?{query}")
            assert answer.status_code == 400
            assert answer.json()["detail"].startswith(said)
        body = {"users": [{"platform": "acme", "user_id": "x"}]}
        assert (await gateway.client.post("/v1/watch", json=body)).status_code == 400
        assert (await gateway.client.post("/v1/watch", json={"users": []})).status_code == 400
        head = await gateway.client.head("/v1/watch", params={"user": "acme:101"})
        assert (head.status_code, head.headers["content-type"]) == (200, "text/event-stream")
        assert "connection_gateway_streams 0.0" in (await gateway.client.get("/metrics")).text


@virtual
async def test_each_viewer_is_sent_what_it_may_see() -> None:
    async with running(NAMED, [caller("web", on_behalf_of=["*"])]) as gateway:
        key = {"X-API-Key": key_of("web")}
        async with (
            watching(gateway.app, "acme:102", "club:102", headers=key | {"X-On-Behalf-Of": "acme=1"}) as first,
            watching(gateway.app, "acme:1", headers=key | {"X-On-Behalf-Of": "102"}) as second,
        ):
            await asyncio.sleep(1)
            assert first.statuses == {"acme:102": "pending_incoming", "club:102": "invalid-request"}
            assert second.statuses == {"acme:1": "pending_outgoing"}
            gateway.acme.platform.set_connection(1, 102, "ACCEPTED")
            await asyncio.sleep(INTERVAL)
            assert first.statuses["acme:102"] == second.statuses["acme:1"] == "connected"


@virtual
async def test_a_token_that_the_platform_refuses_is_a_problem_of_its_users() -> None:
    async with running(CALLERS) as gateway:
        tokens = {"Authorization": "Bearer demo", "sessionToken": "no"}
        async with watching(gateway.app, "acme:101", "club:101", headers=tokens) as watcher:
            await asyncio.sleep(1)
            assert watcher.statuses == {"acme:101": "credential-refused", "club:101": "connected"}


@virtual
async def test_the_log_has_one_line_for_a_stream_when_it_ends() -> None:
    async with running(OWN) as gateway:
        async with watching(gateway.app, "acme:101"):
            await asyncio.sleep(100)
            assert gateway.lines == []
        (line,) = gateway.logged()
        assert (line["route"], line["status"]) == ("/v1/watch", 200)
        assert msgspec.json.encode(line)
