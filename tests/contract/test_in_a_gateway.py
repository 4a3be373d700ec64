"""The minimal platform in a gateway, beside one with numbers for ids."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adapters import ADAPTERS
from adapters.settings import PlatformSettings
from adapters.simulation import Simulator, simulator
from gateway.app import create_app
from gateway.config.converter import from_tables
from gateway.config.settings import ConfigurationError
from gateway.telemetry.log import Log
from tests.contract import minimal
from tests.contract.minimal import handle
from tests.gateways import tables
from tests.wire import Bounded, InProcess

BOOK = {"adapter": "minimal", "base_url": "http://book.example", "credentials": {"mode": "token", "token": "demo"}}
LISTED: dict[Any, Any] = ADAPTERS
ADA, BOB, CAT = handle(101), handle(102), handle(103)


class Gateway:
    def __init__(self) -> None:
        self.book, self.club = Simulator(minimal.AddressBook()), simulator("selfcommunity")
        settings = from_tables(configured())
        self.lines: list[str] = []
        self.app = create_app(settings, log=Log(self.lines.append), wire=self._wire)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://localhost:8080")

    def _wire(self, settings: PlatformSettings) -> httpx.AsyncBaseTransport:
        return Bounded(InProcess(self.book if "book" in settings.base_url else self.club))

    async def lookup(self, *users: tuple[str, str]) -> httpx.Response:
        return await self.client.post("/v1/lookup", json={"users": [{"platform": a, "user_id": b} for a, b in users]})


def configured(**callers: Any) -> dict[str, Any]:
    own = tables({"club": {"mode": "token", "token": "demo"}})
    own["platforms"]["book"] = BOOK
    return {**own, "callers": [{"name": "web", "key_sha256": "0" * 64, **callers}] if callers else []}


@pytest.fixture
async def both(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    monkeypatch.setitem(LISTED, minimal.Settings, minimal.MinimalAdapter)
    gateway = Gateway()
    async with gateway.app.router.lifespan_context(gateway.app), gateway.client:
        yield gateway


async def test_users_without_numbers_are_looked_up_and_those_in_them(both: Gateway) -> None:
    answer = await both.lookup(("book", ADA), ("club", "102"), ("book", BOB), ("nowhere", "anybody"))
    found = [each.get("connection", each.get("error")) for each in answer.json()["results"]]
    assert [(each["user_id"], each.get("status")) for each in found[:3]] == [
        (ADA, "connected"),
        ("102", "pending_incoming"),
        (BOB, "pending_incoming"),
    ]
    assert (found[3]["status"], found[3]["user_id"]) == (404, "anybody")
    assert (await both.client.get(f"/v1/connections/book/{CAT}")).json()["status"] == "pending_outgoing"


async def test_no_user_is_in_the_metrics(both: Gateway) -> None:
    for user in (ADA, BOB, CAT):
        await both.client.get(f"/v1/connections/book/{user}")
    text = (await both.client.get("/metrics")).text
    templates = re.findall(
        r'^http_client_request_duration_seconds_count\{.*url_template="([^"]*)"', text, re.MULTILINE
    )
    assert [each for each in templates if "{id}" in each]
    assert not any(user in text for user in (ADA, BOB, CAT))


@pytest.mark.parametrize(
    ("platform", "user_id"), [("book", "102"), ("book", "@Ada"), ("club", ADA), ("nowhere", ".a")]
)
async def test_what_is_no_id_on_its_platform_is_malformed(both: Gateway, platform: str, user_id: str) -> None:
    answer = await both.lookup(("club", "1"), (platform, user_id))
    assert (answer.status_code, "users[1].user_id: expected a user id" in answer.json()["detail"]) == (400, True)
    act = await both.client.post(f"/v1/connections/{platform}/{user_id}/request")
    assert act.status_code == (404 if platform == "nowhere" else 400)
    assert both.book.calls.calls == both.club.calls.calls == 0


async def test_a_filter_finds_each_user_where_it_can_be_one(both: Gateway) -> None:
    users = [("user_id", user) for user in (ADA, BOB, "101", "102", handle(1))]
    answer = await both.client.get("/v1/connections", params=[("status", "all"), *users])
    listed = [(each["platform"], each["user_id"]) for each in answer.json()["connections"]]
    assert listed == [("club", "101"), ("club", "102"), ("book", ADA), ("book", BOB)]
    first = await both.client.get("/v1/connections", params=[("status", "all"), *users, ("limit", "1")])
    assert first.json()["next_cursor"] is not None


async def test_a_filter_that_is_an_id_nowhere_is_malformed(both: Gateway) -> None:
    assert (await both.client.get("/v1/connections?user_id=A-B")).status_code == 400


async def test_a_list_with_cursors_of_the_platform_is_read_to_its_end(both: Gateway) -> None:
    users: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        query = {"platform": "book", "status": "all", "limit": "70", **cursor}
        page = (await both.client.get("/v1/connections", params=query)).json()
        users += [each["user_id"] for each in page["connections"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(users) == len(set(users)) == 1003


async def test_a_status_that_a_platform_has_not_is_not_asked_for(both: Gateway) -> None:
    answer = await both.client.get("/v1/connections?platform=book&status=rejected")
    assert (answer.json()["connections"], answer.json()["complete"]) == ([], True)
    assert both.book.calls.calls == 0


@pytest.mark.parametrize(
    ("user", "action", "status", "calls"),
    [
        (ADA, "remove", "none", 3),
        (BOB, "accept", "connected", 2),
        (CAT, "cancel", "none", 2),
        (handle(105), "request", "pending_outgoing", 2),
    ],
)
async def test_an_action_reads_nothing_twice(both: Gateway, user: str, action: str, status: str, calls: int) -> None:
    answer = await both.client.post(f"/v1/connections/book/{user}/{action}")
    assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert both.book.calls.calls == calls


@pytest.mark.parametrize("grant", ["book=102", "club=@a", "A-b"])
def test_a_grant_must_name_an_id_of_its_platform(monkeypatch: pytest.MonkeyPatch, grant: str) -> None:
    monkeypatch.setitem(LISTED, minimal.Settings, minimal.MinimalAdapter)
    with pytest.raises(ConfigurationError, match=r"callers\[0\].on_behalf_of\[0\]: expected a user id"):
        from_tables(configured(on_behalf_of=[grant]))
