"""The table of problems, and that it is whole."""

from __future__ import annotations

import re

import httpx
import msgspec
import pytest
from starlette.types import Receive, Scope, Send

from adapters import contract
from gateway.api.middleware.access_log import AccessLog
from gateway.api.middleware.exceptions import ExceptionMiddleware
from gateway.problems import problem as problems
from gateway.problems.problem import Kind, Problem
from gateway.telemetry.log import Log
from gateway.telemetry.metrics import Metrics
from tests.gateways import Gateway


def test_every_platform_error_has_its_row() -> None:
    assert set(problems.OF_PLATFORM_ERROR) == set(contract.PlatformError.__subclasses__())


def test_slugs_are_unique_and_well_formed() -> None:
    slugs = [kind.slug for kind in Kind]
    assert len(set(slugs)) == len(slugs)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", slug) for slug in slugs)


def test_our_failures_and_the_platforms_are_told_apart() -> None:
    for kind in problems.OF_PLATFORM_ERROR.values():
        assert kind.status != 500


async def test_a_bug_of_ours_tells_nothing_but_where_to_look(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: object) -> None:
        raise ZeroDivisionError("canary-9d1e")

    monkeypatch.setattr("adapters.symphony.SymphonyAdapter.read", broken)
    answer = await gateway.client.get("/v1/connections/acme/101", headers={"X-Request-Id": "find-me"})
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error")
    assert answer.json()["instance"] == "find-me"
    written = answer.text + "".join(gateway.lines)
    assert "canary" not in written
    assert "Traceback" not in answer.text
    bug = next(line for line in gateway.logged() if line["event"] == "internal-error")
    assert (bug["error"], bug["request_id"]) == ("ZeroDivisionError", "find-me")
    assert bug["at"][-1].startswith("test_problems.py:")


@pytest.mark.parametrize(("wait", "seconds"), [(0.0, 0), (0.2, 1), (1.0, 1), (299.5, 300)])
def test_nobody_is_told_to_come_back_too_early(wait: float, seconds: int) -> None:
    assert Problem(Kind.PLATFORM_THROTTLED, "x", retry_after=wait).retry_after == seconds


async def test_an_answer_that_breaks_off_is_logged_and_not_answered_twice() -> None:
    async def breaking(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    lines: list[str] = []
    log = Log(lines.append)
    app = AccessLog(ExceptionMiddleware(breaking, log, []), log, Metrics())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        with pytest.raises(ZeroDivisionError):
            await client.get("/")
    events = [msgspec.json.decode(line) for line in lines]
    assert [(line["event"], line.get("status")) for line in events] == [("broken-answer", None), ("request", 200)]


async def test_a_request_id_is_kept_if_it_can_be(gateway: Gateway) -> None:
    for given in ("a", "A-b_c.9", "x" * 64):
        answer = await gateway.client.get("/livez", headers={"X-Request-Id": given})
        assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a/b", "a\tb", "é".encode(), '"'])
async def test_any_other_request_id_is_replaced(gateway: Gateway, given: str | bytes) -> None:
    headers = [(b"X-Request-Id", given if isinstance(given, bytes) else given.encode())]
    answer = await gateway.client.get("/livez", headers=headers)
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


async def test_a_problem_names_its_request(gateway: Gateway) -> None:
    answer = await gateway.client.get("/nowhere", headers={"X-Request-Id": "abc"})
    assert answer.json()["instance"] == answer.headers["x-request-id"] == "abc"
