"""What BuddyPress has of its own: two kinds of credentials in one header, two meanings of 404, notices of PHP, and pages
that nobody counts.
"""

from __future__ import annotations

import base64

import httpx
import pytest

from adapters.buddypress import tables
from adapters.buddypress.decoding import without_notices
from adapters.buddypress.simulator.api import NOTICE
from adapters.buddypress.wire import NativeStatus
from adapters.contract import (
    Action,
    ActionFailed,
    Adapter,
    Connection,
    OwnCredentialRefused,
    Status,
    UserNotFound,
    Viewer,
)
from adapters.secret import Token
from adapters.upstream import Upstream
from gateway.config.converter import platform_settings
from tests.contract.dialects import BUDDYPRESS, Platform
from tests.gateways import running
from tests.wire import Bounded, InProcess

BASIC = base64.b64encode(b"demo:demo").decode()


@pytest.fixture
def site() -> Platform:
    return Platform(BUDDYPRESS)


async def one(adapter: Adapter, user: int, viewer: Viewer | None = None) -> Connection:
    found = (await adapter.read(viewer or Viewer.own("acme"), (user,)))[user]
    if isinstance(found, Exception):
        raise found
    return found


def test_the_tables_are_total() -> None:
    assert set(tables.STATUS) == set(NativeStatus)
    assert set(tables.ACTIONS) == set(Status)


@pytest.mark.parametrize("has_notices", [False, True])
async def test_notices_of_php_before_the_json_are_passed_over(site: Platform, has_notices: bool) -> None:
    site.simulator.platform.switches["php_notices"] = has_notices
    assert (await one(site.adapter, 102)).status is Status.PENDING_INCOMING
    assert [type(each) for each in (await site.adapter.read(site.viewer, (101, 404404))).values()] == [
        Connection,
        UserNotFound,
    ]
    assert len((await site.adapter.list(site.viewer, {Status.PENDING_OUTGOING}, None, 10)).entries) == 1
    act = await site.ready(Action.REQUEST)
    assert (await act()).status is Status.PENDING_OUTGOING
    with pytest.raises(UserNotFound):
        await one(site.adapter, 404404)


@pytest.mark.parametrize(
    "text",
    [
        "<html><body>{}</body></html>",
        "<br />\n<b>Notice</b>:  x<br />\n",
        "<br />\n<b>Notice</b>: {<br />\n{}",
        "<br />" * 1000 + "{}",
        f"{NOTICE}<html>{{}}",
    ],
)
def test_other_html_is_not(text: str) -> None:
    answer = httpx.Response(200, text=text, request=httpx.Request("GET", "http://x.example"))
    assert without_notices(answer) is answer


async def test_an_application_password_is_basic(site: Platform) -> None:
    adapter = site.connect(InProcess(site.simulator), mode="password", username="demo", password="demo")
    assert (await one(adapter, 101)).status is Status.CONNECTED
    wrong = site.connect(InProcess(site.simulator), mode="password", username="demo", password="wrong")
    with pytest.raises(OwnCredentialRefused):
        await one(wrong, 101)


@pytest.mark.parametrize(("scheme", "token"), [(None, "demo"), ("Bearer", "demo"), ("Basic", BASIC)])
async def test_a_callers_token_keeps_its_scheme(site: Platform, scheme: str | None, token: str) -> None:
    adapter = site.connect(InProcess(site.simulator), mode="caller")
    assert (await one(adapter, 101, Viewer("acme", b"1", Token(token), scheme=scheme))).status is Status.CONNECTED


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer demo"}, 200),
        ({"Authorization": f"basic {BASIC}"}, 200),
        ({"X-Platform-Token": "site=demo"}, 200),
        ({"X-Platform-Token": f"site=Basic:{BASIC}"}, 200),
        ({"Authorization": "Bearer nobody"}, 401),
        ({"Authorization": f"Bearer {BASIC}"}, 401),
        ({"Authorization": "Basic demo"}, 401),
        ({"X-Platform-Token": f"site={BASIC}"}, 401),
        ({"Authorization": f"Digest {BASIC}"}, 401),
        ({}, 401),
    ],
)
async def test_a_caller_may_send_either_scheme(headers: dict[str, str], status: int) -> None:
    async with running({"site": {"mode": "caller"}}) as gateway:
        assert (await gateway.client.get("/v1/connections/site/101", headers=headers)).status_code == status


@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
async def test_a_token_that_two_platforms_would_take_is_sent_to_neither(scheme: str) -> None:
    """A community takes no Basic, so that is meant for the site."""
    users = [{"platform": name, "user_id": "101"} for name in ("site", "club")]
    async with running({"site": {"mode": "caller"}, "club": {"mode": "caller"}}) as gateway:
        answer = await gateway.client.post(
            "/v1/lookup", json={"users": users}, headers={"Authorization": f"{scheme} {BASIC}"}
        )
        if scheme == "Bearer":
            assert answer.status_code == 400
            assert gateway.calls == 0
        else:
            first, second = answer.json()["results"]
            assert first["connection"]["status"] == "connected"
            assert second["error"]["type"] == "/problems/missing-credential"
            assert gateway.club.calls.calls == 0


async def test_two_schemes_are_two_viewers() -> None:
    async with running({"site": {"mode": "caller"}}, cache={"fresh_for": 60}) as gateway:
        path = "/v1/connections/site/101"
        good = await gateway.client.get(path, headers={"Authorization": f"Basic {BASIC}"})
        assert good.status_code == 200
        assert (await gateway.client.get(path, headers={"Authorization": f"Bearer {BASIC}"})).status_code == 401


async def test_a_site_without_permalinks_is_asked_by_its_query(site: Platform) -> None:
    seen: list[str] = []

    async def note(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.method} {request.url.raw_path.decode()}")
        return httpx.Response(200, json=[])

    table = {
        "adapter": "buddypress",
        "base_url": "http://x.example/blog",
        "permalinks": False,
        "credentials": site.dialect.own,
    }
    adapter = BUDDYPRESS.connect(
        platform_settings("acme", table), Upstream("acme", Bounded(httpx.MockTransport(note)), timeout=5.0)
    )
    await adapter.read(site.viewer, (101, 102))
    assert seen == [
        "GET /blog/?rest_route=/buddypress/v2/members&include=101,102&per_page=100&_fields=id,friendship_status,friendship_status_slug"
    ]


async def test_the_simulator_is_asked_either_way(site: Platform) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site.simulator), base_url="http://x") as client:
        headers = {"Authorization": "Bearer demo"}
        answers = [
            (await client.get(path, headers=headers)).json()
            for path in ("/wp-json/buddypress/v2/friends/102", "/?rest_route=/buddypress/v2/friends/102")
        ]
    assert answers[0] == answers[1]
    assert answers[0]["initiator_id"] == 102


async def test_asking_again_may_be_refused_with_500(site: Platform) -> None:
    act = await site.ready(Action.REQUEST)
    await act()
    with pytest.raises(ActionFailed):
        await act()


async def test_a_list_that_fills_its_pages_ends_with_an_empty_one(site: Platform) -> None:
    for user in [*range(1000, 2000), 101, 102, 103]:
        site.set(user, Status.NONE)
    for user in range(5000, 5100):
        site.set(user, Status.PENDING_INCOMING)
    page = await site.adapter.list(site.viewer, {Status.PENDING_INCOMING}, None, 100)
    assert (len(page.entries), page.next is None) == (100, False)
    end = await site.adapter.list(site.viewer, {Status.PENDING_INCOMING}, page.next, 100)
    assert (end.entries, end.next) == ((), None)


async def test_a_request_among_many_friends_is_found_in_few_calls(site: Platform) -> None:
    """One call for who the viewer is, and one for each page of a hundred."""
    site.set(102, Status.NONE)
    site.set(103, Status.NONE)
    site.set(9999, Status.PENDING_INCOMING)
    page = await site.adapter.list(site.viewer, {Status.PENDING_INCOMING}, None, 10)
    assert (page.entries, page.next is None) == ((), False)
    assert site.simulator.calls.calls == 5
