"""What a firewall or a proxy says in a platform's place drops nothing of what the platform said before."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.caching.asking import STALE, ask, keeping
from tests.clock import run
from tests.faults.upstreams import HTML

FOREIGN = {
    "403 in HTML": httpx.Response(403, html=HTML),
    "403 without a body": httpx.Response(403),
    "403 in somebody else's JSON": httpx.Response(403, json={"blocked": True, "ray": "7d"}),
    "404 in HTML": httpx.Response(404, html=HTML),
    "400 in HTML": httpx.Response(400, html=HTML),
    "410 in HTML": httpx.Response(410, html=HTML),
    "451 in HTML": httpx.Response(451, html=HTML),
}


@pytest.mark.parametrize("name", ["acme", "club"])
@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_an_outage_after_a_foreign_refusal_is_still_bridged(name: str, foreign: httpx.Response) -> None:
    async def main() -> None:
        async with keeping() as gateway:
            await ask(gateway, 101, name)
            await asyncio.sleep(10)
            gateway.upstreams[name].trouble = foreign
            answer = await ask(gateway, 101, name)
            assert answer.json()["type"] == "/problems/platform-invalid-answer"
            assert str(foreign.status_code) in answer.json()["detail"]
            gateway.upstreams[name].trouble = "dead"
            stale = await ask(gateway, 101, name)
            assert (stale.json()["status"], stale.json()["stale"]) == ("connected", True)
            assert stale.headers["cache-status"] == f"{STALE}platform-unreachable"

    run(main())


@pytest.mark.parametrize("name", ["acme", "club"])
def test_a_foreign_refusal_of_a_list_evicts_nothing(name: str) -> None:
    async def main() -> None:
        async with keeping() as gateway:
            await ask(gateway, 101, name)
            await asyncio.sleep(10)
            gateway.upstreams[name].trouble = httpx.Response(403, html=HTML)
            path, token = f"/v1/connections?platform={name}", {"X-Platform-Token": f"{name}=demo"}
            (error,) = (await gateway.client.get(path, headers=token)).json()["errors"]
            assert error["type"] == "/problems/platform-invalid-answer"
            gateway.upstreams[name].trouble = "dead"
            assert (await ask(gateway, 101, name)).json()["stale"]

    run(main())


def test_while_408_is_all_that_comes_what_is_kept_is_told() -> None:
    async def main() -> None:
        async with keeping() as gateway:
            await ask(gateway)
            await asyncio.sleep(10)
            gateway.acme.trouble = httpx.Response(408)
            before = gateway.acme.calls
            answer = await ask(gateway)
            assert answer.headers["cache-status"] == f"{STALE}platform-unreachable"
            assert gateway.acme.calls == before + 2

    run(main())
