"""`GET /v1/connections/{platform}/{user_id}`, as a caller sees it."""

from __future__ import annotations

import asyncio

import pytest

from adapters.simulation.faults import Fault
from tests.gateways import THOUSAND, Gateway, running

ANSWER = {
    "platform": "acme",
    "user_id": "103",
    "status": "pending_outgoing",
    "native_status": "PENDING_OUTGOING",
    "actions": [],
    "first_requested_at": "2016-08-01T02:21:13.812Z",
    "updated_at": "2016-08-12T16:07:56.255Z",
    "request_count": 1,
    "stale": False,
}


async def test_the_answer_has_every_field_in_its_order(gateway: Gateway) -> None:
    answer = (await gateway.client.get("/v1/connections/acme/103")).json()
    as_of = answer.pop("as_of")
    assert answer == ANSWER
    assert list(answer) == list(ANSWER)
    assert len(as_of) == len("2026-11-21T21:41:00.123Z")
    assert as_of.endswith("Z")


async def test_stale_is_the_last_field(gateway: Gateway) -> None:
    body = (await gateway.client.get("/v1/connections/club/105")).text
    assert body.endswith('"stale":false}')


async def test_what_a_platform_does_not_say_is_null(gateway: Gateway) -> None:
    answer = (await gateway.client.get("/v1/connections/club/105")).json()
    assert answer | {"as_of": ""} == {
        "platform": "club",
        "user_id": "105",
        "status": "none",
        "native_status": None,
        "actions": ["request"],
        "first_requested_at": None,
        "updated_at": None,
        "request_count": None,
        "as_of": "",
        "stale": False,
    }


async def test_a_declined_request_is_none_in_a_communitys_lookup_and_rejected_in_a_pods(gateway: Gateway) -> None:
    answers = [(await gateway.client.get(f"/v1/connections/{name}/104")).json() for name in ("acme", "club")]
    assert [each["status"] for each in answers] == ["rejected", "none"]


async def test_the_headers_of_an_answer(gateway: Gateway) -> None:
    headers = (await gateway.client.get("/v1/connections/acme/101")).headers
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "private, no-cache"
    assert headers["age"] == "0"
    assert headers["cache-status"] == "connection-gateway; fwd=miss"
    assert headers["vary"] == "X-API-Key, sessionToken, Authorization, X-Platform-Token, X-On-Behalf-Of"


async def test_head_is_answered_without_a_body(gateway: Gateway) -> None:
    answer = await gateway.client.head("/v1/connections/acme/101")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    "user_id",
    [
        *["0", "01", "-1", "+1", "1.0", "1e3", "0x1", "abc", "1;2", "1,2", "1:2", "..;", "1&x=2", "~1", "''", "null"],
        *["9223372036854775808", "1" * 20, "1" * 5000],
    ],
)
@pytest.mark.parametrize("platform", ["acme", "club"])
async def test_what_is_no_user_id_reaches_no_platform(gateway: Gateway, platform: str, user_id: str) -> None:
    answer = await gateway.client.get(f"/v1/connections/{platform}/{user_id}")
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (400, "/problems/invalid-request")
    assert problem["detail"].startswith("user_id: expected")
    assert problem["platform"] == platform
    assert "user_id" not in problem
    assert gateway.calls == 0


@pytest.mark.parametrize(
    "path",
    [
        *[
            "/v1/connections/acme/%31",
            "/v1/connections/acme/1%2F..",
            "/v1/connections/acme/1%3Fx",
            "/v1/%63onnections",
        ],
        *[
            "/v1/connections/acme/1%00",
            "/v1/connections/acme/%D9%A1",
            "/v1/connections/acme/",
            "/v1/connections/acme",
        ],
        *["/v1/connections/acme/1/", "/v1/connections//1", "/v1/connections/acme/1/2/3", "/v1", "/v2/platforms"],
        *["//v1/platforms", "/v1/platforms/"],
    ],
)
async def test_what_is_no_path_of_ours_reaches_no_platform(gateway: Gateway, path: str) -> None:
    answer = await gateway.client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert gateway.calls == 0


async def test_an_unknown_platform_is_named_as_such(gateway: Gateway) -> None:
    answer = await gateway.client.get("/v1/connections/nowhere/1")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-platform")


async def test_the_platform_is_checked_before_the_user_id(gateway: Gateway) -> None:
    answer = await gateway.client.get("/v1/connections/nowhere/abc")
    assert answer.json()["type"] == "/problems/unknown-platform"


async def test_the_user_id_is_checked_before_the_credential(passing: Gateway) -> None:
    answer = await passing.client.get("/v1/connections/acme/abc")
    assert answer.json()["type"] == "/problems/invalid-request"


@pytest.mark.parametrize("query", ["x=1", "user_id=1", "=", "x"])
async def test_a_query_is_refused_by_name(gateway: Gateway, query: str) -> None:
    answer = await gateway.client.get(f"/v1/connections/acme/101?{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")
    assert "query" in answer.json()["detail"]
    assert gateway.calls == 0


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_another_method_is_refused_with_those_that_are(gateway: Gateway, method: str) -> None:
    answer = await gateway.client.request(method, "/v1/connections/acme/101")
    assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD"
    assert gateway.calls == 0


async def test_a_user_who_does_not_exist(gateway: Gateway) -> None:
    answer = await gateway.client.get("/v1/connections/club/404404")
    problem = answer.json()
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem == {
        "type": "/problems/user-not-found",
        "title": "The platform says that this user does not exist",
        "status": 404,
        "detail": "the community has no such user",
        "instance": answer.headers["x-request-id"],
        "retryable": False,
        "platform": "club",
        "user_id": "404404",
    }


@pytest.mark.parametrize(
    ("fault", "status", "slug"),
    [
        (Fault(status=403), 403, "platform-forbidden"),
        (Fault(status=500), 502, "platform-error"),
        (Fault(body="<html>"), 502, "platform-invalid-answer"),
        (Fault(status=401), 502, "platform-credential-refused"),
        (Fault(status=429), 429, "platform-throttled"),
    ],
)
@pytest.mark.parametrize("platform", ["acme", "club"])
async def test_a_platforms_failure_is_the_problem_of_its_kind(
    gateway: Gateway, platform: str, fault: Fault, status: int, slug: str
) -> None:
    await gateway.client.get(f"/v1/connections/{platform}/101")
    gateway.simulators[platform].misbehave(fault)
    answer = await gateway.client.get(f"/v1/connections/{platform}/101")
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["type"]) == (status, status, f"/problems/{slug}")
    assert (problem["platform"], problem["user_id"]) == (platform, "101")
    assert answer.headers["cache-control"] == "no-store"


async def test_retry_after_is_whole_seconds_in_header_and_body(gateway: Gateway) -> None:
    gateway.club.misbehave(Fault(retry_after=7))
    answer = await gateway.client.get("/v1/connections/club/101")
    assert (answer.headers["retry-after"], answer.json()["retry_after"]) == ("7", 7)


async def test_one_platform_that_is_down_leaves_the_other_alone(gateway: Gateway) -> None:
    gateway.acme.misbehave(Fault(status=500))
    answers = [await gateway.client.get(f"/v1/connections/{name}/101") for name in ("acme", "club")]
    assert [each.status_code for each in answers] == [502, 200]


async def test_a_thousand_lookups_that_meet_an_expired_session_make_one_login() -> None:
    async with running(each=THOUSAND) as gateway:
        await gateway.client.get("/v1/connections/acme/101")
        gateway.acme.platform.tokens.expire()
        gateway.acme.calls.reset()
        answers = await asyncio.gather(
            *(gateway.client.get(f"/v1/connections/acme/{user}") for user in range(1000, 2000))
        )
        assert {each.json()["status"] for each in answers} == {"connected"}
        assert gateway.acme.calls.logins == 1
        assert gateway.acme.calls.calls < 50  # in batches, each of them twice at most


async def test_a_thousand_first_lookups_make_one_login() -> None:
    async with running(each=THOUSAND) as gateway:
        answers = await asyncio.gather(
            *(gateway.client.get(f"/v1/connections/acme/{user}") for user in range(1000, 2000))
        )
        assert {each.status_code for each in answers} == {200}
        assert gateway.acme.calls.logins == 1
        assert gateway.acme.calls.calls <= 20
