"""`POST /v1/lookup`: many users over any platforms."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import httpx
import pytest

from adapters.simulation.faults import Fault
from tests import clock
from tests.gateways import Gateway, running

MANY = {"acme": "/connection/list", "club": "/connection/statuses/"}
ALONE = {"acme": "/info", "club": "/connection_status/"}


def users(name: str, ids: Iterable[int | str]) -> list[dict[str, str]]:
    return [{"platform": name, "user_id": str(each)} for each in ids]


async def lookup(gateway: Gateway, asked: list[dict[str, str]], **headers: str) -> list[dict[str, Any]]:
    answer = await gateway.client.post("/v1/lookup", json={"users": asked}, headers=headers)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def slugs(results: list[dict[str, Any]]) -> list[str]:
    return [each["error"]["type"].removeprefix("/problems/") if "error" in each else "" for each in results]


async def test_results_stand_in_the_order_of_the_users(gateway: Gateway) -> None:
    asked = [*users("club", [102, 101]), *users("acme", [103, 101, 106, 404404]), *users("club", [105])]
    results = await lookup(gateway, asked)
    found = [each["connection"] for each in results]
    assert [{"platform": each["platform"], "user_id": each["user_id"]} for each in found] == asked
    assert [each["status"] for each in found] == [
        *["pending_incoming", "connected", "pending_outgoing", "connected", "connected", "none", "none"]
    ]


async def test_a_result_is_what_a_lookup_says(gateway: Gateway) -> None:
    for name in MANY:
        results = await lookup(gateway, users(name, [101, 102, 103, 105]))
        for result in results:
            user = result["connection"]["user_id"]
            alone = (await gateway.client.get(f"/v1/connections/{name}/{user}")).json()
            assert list(result) == ["connection"]
            assert result["connection"] | {"as_of": ""} == alone | {"as_of": ""}


async def test_the_headers_are_those_of_a_read(gateway: Gateway) -> None:
    answer = await gateway.client.post("/v1/lookup", json={"users": users("acme", [101])})
    assert answer.headers["cache-control"] == "private, no-cache"
    assert (
        answer.headers["vary"] == "X-API-Key, sessionToken, Authorization, X-Platform-Token, X-On-Behalf-Of, Accept"
    )


@pytest.mark.parametrize("name", MANY)
async def test_two_hundred_users_are_one_call(gateway: Gateway, name: str) -> None:
    results = await lookup(gateway, users(name, range(1000, 1200)))
    assert {each["connection"]["status"] for each in results} == {"connected"}
    assert gateway.simulators[name].calls.calls == 1


async def test_two_hundred_users_are_two_calls_where_implicit_connections_must_be_asked(gateway: Gateway) -> None:
    results = await lookup(gateway, users("acme", [*range(1000, 1199), 106]))
    assert results[-1]["connection"]["status"] == "connected"
    assert gateway.acme.calls.calls == 2


async def test_one_call_is_enough_where_all_has_implicit_connections(gateway: Gateway) -> None:
    gateway.acme.platform.switches["all_has_implicit"] = True
    results = await lookup(gateway, users("acme", [101, 106]))
    assert results[-1]["connection"]["status"] == "connected"
    assert gateway.acme.calls.calls == 1


async def test_one_user_is_asked_alone(gateway: Gateway) -> None:
    await lookup(gateway, users("club", [101]))
    assert gateway.club.calls.by_path == {"GET /api/v2/user/{id}/connection_status/": 1}


async def test_who_is_named_twice_is_asked_once_and_answered_twice(gateway: Gateway) -> None:
    results = await lookup(gateway, users("club", [101, 101]))
    assert results[0] == results[1]
    assert gateway.club.calls.by_path == {"GET /api/v2/user/{id}/connection_status/": 1}


@pytest.mark.parametrize(("name", "calls"), [("acme", 4), ("club", 2)])
async def test_a_thousand_users_are_split(gateway: Gateway, name: str, calls: int) -> None:
    results = await lookup(gateway, users(name, range(1000, 2000)))
    assert {each["connection"]["status"] for each in results} == {"connected"}
    assert gateway.simulators[name].calls.calls == calls


@pytest.mark.parametrize(
    ("fault", "slug"),
    [
        ({"status": 500}, "platform-error"),
        ({"drop": True}, "platform-unreachable"),
        ({"body": "<html>"}, "platform-invalid-answer"),
        ({"delay": 30}, "platform-timeout"),
        ({"status": 429}, "platform-throttled"),
    ],
    ids=str,
)
def test_one_platform_that_is_down_leaves_the_other_alone(fault: dict[str, Any], slug: str) -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.acme.misbehave(Fault(**fault))
            asked = [
                each for pair in zip(*(users(name, range(1000, 1500)) for name in MANY), strict=True) for each in pair
            ]
            results = await lookup(gateway, asked)
            assert asyncio.get_running_loop().time() <= 2.05
            assert slugs(results) == [slug, ""] * 500
            assert {each["connection"]["platform"] for each in results[1::2]} == {"club"}
            problem = results[998]["error"]
            assert (problem["platform"], problem["user_id"]) == ("acme", "1499")

    clock.run(main())


async def test_an_error_is_its_entrys_alone(gateway: Gateway) -> None:
    answer = await gateway.client.post(
        "/v1/lookup", json={"users": [*users("club", [404404, 101]), *users("nowhere", [1]), *users("acme", [101])]}
    )
    results = answer.json()["results"]
    assert slugs(results) == ["user-not-found", "", "unknown-platform", ""]
    assert results[0]["error"] == {
        "type": "/problems/user-not-found",
        "title": "The platform says that this user does not exist",
        "status": 404,
        "detail": "the community has no such user",
        "instance": answer.headers["x-request-id"],
        "retryable": False,
        "platform": "club",
        "user_id": "404404",
    }
    assert (results[2]["error"]["platform"], results[2]["error"]["user_id"]) == ("nowhere", "1")


async def test_the_log_says_how_many_entries_failed(gateway: Gateway) -> None:
    await lookup(gateway, [*users("club", [404404, 404405, 101]), *users("nowhere", [1])])
    (line,) = gateway.logged()
    assert (line["status"], line["problems"]) == (200, {"user-not-found": 2, "unknown-platform": 1})


@pytest.mark.parametrize("name", ["", "ACME", "a b", "x" * 33, "canary:1"])
async def test_what_could_be_no_platforms_name_is_not_told(gateway: Gateway, name: str) -> None:
    (result,) = await lookup(gateway, users(name, [1]))
    assert "platform" not in result["error"]


async def test_a_missing_credential_is_its_entrys_alone(passing: Gateway) -> None:
    asked = [*users("acme", [101, 102]), *users("club", [101])]
    results = await lookup(passing, asked, sessionToken="demo")
    assert slugs(results) == ["", "", "missing-credential"]
    assert passing.club.calls.calls == 0


async def test_nobody_can_be_asked(passing: Gateway) -> None:
    results = await lookup(passing, [*users("acme", [101]), *users("club", [101])])
    assert slugs(results) == ["missing-credential"] * 2
    assert [each["error"]["platform"] for each in results] == ["acme", "club"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ('{"users": [{"platform": "acme", "user_id": "1"}, {"platform": "acme", "user_id": "01"}]}', "users[1].user_id: expected a user id"),
        ('{"users": [{"platform": "acme", "user_id": 1}]}', "users[0].user_id: expected `string`"),
        ('{"users": [{"platform": "acme", "user_id": null}]}', "users[0].user_id: expected `string`"),
        ('{"users": [{"platform": 1, "user_id": "1"}]}', "users[0].platform: expected `string`"),
        ('{"users": [{"platform": "acme"}]}', "users[0]: object missing required field `user_id`"),
        ('{"users": [{"platform": "acme", "user_id": "1", "canary 1": 1}]}', "users[0]: unknown field"),
        ('{"users": ["acme"]}', "users[0]: expected `object`"),
        ('{"users": {}}', "users: expected `array`"),
        ('{"users": []}', "users: expected 1 to 1000 entries, not 0"),
        ("{}", "body: object missing required field `users`"),
        ('{"users": [], "769658112378": 1}', "body: unknown field"),
        ('{"users": [], "limit": 1}', "body: unknown field `limit`"),
        ("[]", "body: expected `object`"),
        ("", "body: expected JSON"),
        ("{", "body: expected JSON"),
        ('{"users": [{"platform": "\ud800"}]}', "body: expected JSON"),
        ("[" * 100_000, "body: expected `object`"),
        ('{"users":' + "[" * 100_000, "users[0]: expected `object`"),
        ('{"users": [{"platform": "acme", "user_id": "\\u0661"}]}', "users[0].user_id: expected a user id"),
    ],
)  # fmt: skip
async def test_a_malformed_body_is_refused_whole(gateway: Gateway, body: str, detail: str) -> None:
    answer = await gateway.client.post("/v1/lookup", content=body.encode(errors="surrogatepass"))
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")
    assert answer.json()["detail"].startswith(detail)
    assert "canary" not in answer.text
    assert "769658112378" not in answer.text
    assert gateway.calls == 0


async def test_more_than_a_thousand_are_refused(gateway: Gateway) -> None:
    answer = await gateway.client.post("/v1/lookup", json={"users": users("acme", range(1, 1002))})
    assert answer.json()["detail"] == "users: expected 1 to 1000 entries, not 1001"
    assert gateway.calls == 0


async def test_a_body_over_the_cap_is_refused(gateway: Gateway) -> None:
    answer = await gateway.client.post("/v1/lookup", content=b" " * (256 * 1024 + 1))
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/payload-too-large")


async def test_a_query_is_refused(gateway: Gateway) -> None:
    answer = await gateway.client.post("/v1/lookup?x=1", json={"users": users("acme", [1])})
    assert answer.status_code == 400


async def test_a_lookup_of_many_is_a_post(gateway: Gateway) -> None:
    answer = await gateway.client.get("/v1/lookup")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("status", [400, 403, 404, 413, 414])
@pytest.mark.parametrize("name", MANY)
async def test_a_batch_refused_for_one_users_sake_fails_for_that_user_alone(
    gateway: Gateway, name: str, status: int
) -> None:
    """The platform refuses every batch, and of those asked alone user 1007."""
    gateway.simulators[name].misbehave(Fault(path=MANY[name], status=status), Fault(path="/1007/", status=500))
    results = await lookup(gateway, users(name, range(1000, 1016)))
    assert slugs(results) == [""] * 7 + ["platform-error"] + [""] * 8


@pytest.mark.parametrize(("status", "slug"), [(403, "platform-forbidden"), (400, "platform-invalid-answer")])
@pytest.mark.parametrize("name", MANY)
async def test_a_refusal_that_the_first_alone_meets_as_well_is_everybodys(
    gateway: Gateway, name: str, status: int, slug: str
) -> None:
    gateway.simulators[name].misbehave(Fault(path="connection", status=status))
    results = await lookup(gateway, users(name, range(1000, 1200)))
    assert set(slugs(results)) == {slug}
    assert gateway.simulators[name].calls.calls == 2


@pytest.mark.parametrize("name", MANY)
async def test_another_refusal_of_the_first_is_that_users_alone(gateway: Gateway, name: str) -> None:
    gateway.simulators[name].misbehave(Fault(path=MANY[name], status=400), Fault(path="/1000/", status=403))
    results = await lookup(gateway, users(name, range(1000, 1008)))
    assert slugs(results) == ["platform-forbidden"] + [""] * 7


@pytest.mark.parametrize("status", [400, 403, 404])
@pytest.mark.parametrize("name", MANY)
async def test_a_refusal_by_somebody_else_is_everybodys_as_well(gateway: Gateway, name: str, status: int) -> None:
    """A wrong base_url: a web server without such paths answers for the platform."""
    await gateway.client.get(f"/v1/connections/{name}/101")
    gateway.simulators[name].calls.reset()
    gateway.simulators[name].misbehave(Fault(status=status, body="<html>", content_type="text/html"))
    results = await lookup(gateway, users(name, range(1000, 1200)))
    assert len(set(slugs(results))) == 1
    assert gateway.simulators[name].calls.calls == 2


@pytest.mark.parametrize("status", [401, 429])
@pytest.mark.parametrize("name", MANY)
async def test_what_fails_for_all_is_not_asked_for_each(gateway: Gateway, name: str, status: int) -> None:
    await gateway.client.get(f"/v1/connections/{name}/101")
    gateway.simulators[name].calls.reset()
    gateway.simulators[name].misbehave(Fault(path=MANY[name], status=status))
    results = await lookup(gateway, users(name, range(1000, 1200)))
    assert len(set(slugs(results))) == 1
    assert gateway.simulators[name].calls.calls == (2 if (name, status) == ("acme", 401) else 1)


async def test_what_all_named_is_kept_when_asking_for_implicit_ones_fails(gateway: Gateway) -> None:
    gateway.acme.misbehave(
        Fault(path="/connection/list", times=1, delay=0.001), Fault(path="/connection", status=500)
    )
    results = await lookup(gateway, users("acme", [101, 106, 102]))
    assert slugs(results) == ["", "platform-error", ""]


async def test_who_can_not_be_asked_for_as_accepted_is_asked_alone(gateway: Gateway) -> None:
    gateway.acme.misbehave(
        Fault(path="/connection/list", times=1, delay=0.001), Fault(path="/connection/list", status=500)
    )
    results = await lookup(gateway, users("acme", [101, 106, 102]))
    assert [each["connection"]["status"] for each in results] == ["connected", "connected", "pending_incoming"]


async def test_who_is_asked_again_as_accepted_in_vain_is_asked_alone(gateway: Gateway) -> None:
    gateway.acme.misbehave(
        Fault(path="/connection/list", times=1, delay=0.001), Fault(path="/connection/list", status=403)
    )
    results = await lookup(gateway, users("acme", [101, 106, 105]))
    assert [each["connection"]["status"] for each in results] == ["connected", "connected", "none"]


def test_no_call_begins_after_the_deadline() -> None:
    """Every batch is refused, and everybody alone takes half a second."""

    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path=MANY["club"], status=400), Fault(path=ALONE["club"], delay=0.5))
            results = await lookup(gateway, users("club", range(1000, 1200)))
            assert asyncio.get_running_loop().time() == pytest.approx(2.0, abs=0.05)
            assert {"", "platform-timeout"} == set(slugs(results))
            begun = gateway.club.calls.calls
            await asyncio.sleep(60)
            assert gateway.club.calls.calls == begun
            assert len(asyncio.all_tasks()) == 1

    clock.run(main())


def test_a_batch_that_is_late_costs_no_other_its_answer() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            await gateway.client.get("/v1/connections/acme/101")
            gateway.acme.misbehave(Fault(path=MANY["acme"], times=1, delay=30))
            results = await lookup(gateway, users("acme", range(1000, 1600)))
            assert slugs(results) == ["platform-timeout"] * 300 + [""] * 300

    clock.run(main())


async def test_a_bug_in_one_batch_is_not_hidden(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("adapters.symphony.SymphonyAdapter.read", broken)
    answer = await gateway.client.post("/v1/lookup", json={"users": users("acme", [1, 2])})
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error")


def test_the_answer_of_a_lookup_is_json_of_bounded_size() -> None:
    """A thousand problems are no more than a caller can hold."""

    async def main() -> httpx.Response:
        async with running() as gateway:
            gateway.acme.misbehave(Fault(status=500))
            return await gateway.client.post("/v1/lookup", json={"users": users("acme", range(1000, 2000))})

    assert len(clock.run(main()).content) < 512 * 1024
