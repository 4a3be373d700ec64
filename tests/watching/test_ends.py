"""How streams end that the gateway ends, and what a reload does to those that go on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.config.converter import from_tables
from tests.callers.tokens import page, token
from tests.clock import run, virtual
from tests.gateways import NAMED, OWN, Gateway, caller, key_of, running, tables
from tests.watching.watcher import watching

WEB = caller("web", on_behalf_of=["*"])
AS_WEB = {"X-API-Key": key_of("web"), "X-On-Behalf-Of": "acme=1, club=1"}


def reload(
    gateway: Gateway, credentials: Mapping[str, Mapping[str, Any]], callers: Sequence[Mapping[str, Any]] = ()
) -> None:
    gateway.app.state.snapshots.reload(from_tables(tables(credentials, callers=callers)))


@virtual
async def test_a_process_that_drains_ends_its_streams_one_after_the_other() -> None:
    async with running(drain_delay=20.0) as gateway, contextlib.AsyncExitStack() as opened:
        watchers = [await opened.enter_async_context(watching(gateway.app, "acme:101")) for _ in range(10)]
        await asyncio.sleep(1)
        gateway.app.state.lifecycle.drain()
        ended = []
        for _ in range(20):
            await asyncio.sleep(1)
            ended.append(sum(each.is_over for each in watchers))
        assert ended == [1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 10]
        assert {each.reason for each in watchers} == {"draining"}
        late = await opened.enter_async_context(watching(gateway.app, "acme:101"))
        await asyncio.sleep(0.1)
        assert (late.status, late.reason, late.is_over) == (200, "draining", True)
        assert late.text.startswith("retry: 2000\n\n")


@virtual
async def test_without_a_delay_all_end_at_once() -> None:
    async with running() as gateway, watching(gateway.app, "acme:101") as one, watching(gateway.app, "acme:1") as two:
        await asyncio.sleep(1)
        gateway.app.state.lifecycle.drain()
        await asyncio.sleep(0.01)
        assert one.is_over
        assert two.is_over


@virtual
async def test_a_revoked_key_ends_its_streams_and_no_other() -> None:
    async with running(NAMED, [WEB, caller("bot", on_behalf_of=["*"])]) as gateway:
        as_bot = AS_WEB | {"X-API-Key": key_of("bot")}
        async with (
            watching(gateway.app, "acme:102", headers=AS_WEB) as web,
            watching(gateway.app, "acme:102", headers=as_bot) as bot,
        ):
            await asyncio.sleep(1)
            reload(gateway, NAMED, [WEB])
            await asyncio.sleep(0.01)
            assert (bot.reason, bot.is_over) == ("credential-refused", True)
            assert not web.is_over
            assert len(web.events) == 1


@virtual
async def test_a_key_that_is_revoked_while_its_stream_opens_is_refused() -> None:
    for query in (True, False):
        async with running(NAMED, [WEB, caller("bot", on_behalf_of=["*"])]) as gateway:
            as_bot = AS_WEB | {"X-API-Key": key_of("bot")}
            async with watching(gateway.app, "acme:102", query=query, headers=as_bot) as bot:
                await asyncio.sleep(0)  # the key was accepted; the stream is not open yet
                reload(gateway, NAMED, [WEB])
                await asyncio.sleep(1)
                assert (bot.status, bot.is_over) == (401, True)


@virtual
async def test_a_stream_that_opens_during_a_reload_watches_with_the_new_credential() -> None:
    async with running(OWN) as gateway, watching(gateway.app, "acme:1") as watcher:
        await asyncio.sleep(0)  # the request was accepted; the stream is not open yet
        reload(gateway, OWN | {"acme": {**OWN["acme"], "username": "user-101"}})
        await asyncio.sleep(1)
        assert watcher.statuses == {"acme:1": "connected"}


@virtual
async def test_a_changed_policy_is_a_problem_of_its_platform_until_it_changes_again() -> None:
    async with (
        running(NAMED, [WEB]) as gateway,
        watching(gateway.app, "acme:102", "club:102", headers=AS_WEB) as watcher,
    ):
        await asyncio.sleep(1)
        reload(gateway, NAMED, [WEB | {"platforms": ["club"]}])
        await asyncio.sleep(0.01)
        assert watcher.statuses == {"acme:102": "not-allowed", "club:102": "pending_incoming"}
        reads = gateway.acme.calls.calls
        await asyncio.sleep(100)
        assert gateway.acme.calls.calls == reads
        reload(gateway, NAMED, [WEB])
        await asyncio.sleep(1)
        assert watcher.statuses == {"acme:102": "pending_incoming", "club:102": "pending_incoming"}
        assert len(watcher.events) == 4


@virtual
async def test_another_credential_is_another_viewer_and_only_what_differs_is_sent() -> None:
    async with running(OWN) as gateway, watching(gateway.app, "acme:105", "acme:1", "club:101") as watcher:
        await asyncio.sleep(1)
        assert watcher.statuses == {"acme:105": "none", "acme:1": "none", "club:101": "connected"}
        reload(gateway, OWN | {"acme": {**OWN["acme"], "username": "user-101"}})
        await asyncio.sleep(1)
        assert watcher.statuses == {"acme:105": "none", "acme:1": "connected", "club:101": "connected"}
        assert len(watcher.events) == 4
        gateway.acme.platform.set_connection(1, 101, None)
        await asyncio.sleep(10)
        assert watcher.statuses["acme:1"] == "none"


@virtual
async def test_a_dropped_credential_is_a_problem_within_an_interval() -> None:
    async with running(OWN) as gateway, watching(gateway.app, "club:101") as watcher:
        await asyncio.sleep(1)
        reload(gateway, OWN | {"club": {"mode": "token", "token": "no-longer-good"}})
        await asyncio.sleep(10)
        assert watcher.statuses == {"club:101": "platform-credential-refused"}


def test_a_token_that_expires_ends_the_stream(tmp_path: Path) -> None:
    async def watch() -> None:
        async with running(OWN, [page(tmp_path)]) as gateway:
            good_for = 60
            sent = token(exp=int(time.time()) + good_for)
            async with watching(gateway.app, "acme:101", headers={"X-API-Key": sent}) as watcher:
                await asyncio.sleep(good_for - 5)
                assert watcher.statuses == {"acme:101": "connected"}
                assert not watcher.is_over
                await asyncio.sleep(40)  # with what clocks may differ
                assert (watcher.reason, watcher.is_over) == ("credential-expired", True)

    run(watch())


@virtual
async def test_a_stopped_gateway_reads_nothing_more() -> None:
    async with running() as gateway, watching(gateway.app, "acme:101"):
        await asyncio.sleep(1)
        reads = gateway.acme.calls.calls
    await asyncio.sleep(100)
    assert gateway.acme.calls.calls == reads


@virtual
async def test_the_audit_log_has_a_stream_when_it_begins_and_when_it_ends() -> None:
    async with running(NAMED, [WEB]) as gateway:

        def audited() -> list[tuple[str, str, str]]:
            lines = [line for line in gateway.logged() if line["event"] == "audit"]
            return [(line["platform"], line["action"], line["outcome"]) for line in lines]

        begun = [("acme", "watch", "begun"), ("club", "watch", "begun")]
        async with watching(gateway.app, "acme:102", "club:102", headers=AS_WEB):
            await asyncio.sleep(100)
            assert audited() == begun
        assert audited() == [*begun, ("acme", "watch", "ok"), ("club", "watch", "ok")]
