"""That the watch over answers sees what is not as `/openapi.json` promises."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from tests.promises import Promises

CONNECTION: dict[str, Any] = {
    "platform": "acme",
    "user_id": "1",
    "status": "none",
    "native_status": None,
    "actions": ["request"],
    "first_requested_at": None,
    "updated_at": None,
    "request_count": None,
    "as_of": "2026-11-21T21:41:00.123Z",
    "stale": False,
}
HEADERS = {
    "content-type": "application/json",
    "x-request-id": "1",
    "cache-control": "private, no-cache",
    "vary": "X-API-Key",
    "age": "0",
    "cache-status": "connection-gateway; hit",
}
PROBLEM = {
    "type": "/problems/overloaded",
    "title": "t",
    "status": 503,
    "detail": "d",
    "instance": "1",
    "retryable": True,
    "retry_after": 1,
}
OF_PROBLEMS = {"content-type": "application/problem+json", "x-request-id": "1", "cache-control": "no-store"}


def broken(
    body: Any, headers: dict[str, str], status: int = 200, path: str = "/v1/connections/acme/1", method: str = "GET"
) -> set[str]:
    watch = Promises()
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode()}
    watch.check(scope, status, list(headers.items()), msgspec.json.encode(body))
    return watch.broken


def test_a_kept_promise() -> None:
    assert broken(CONNECTION, HEADERS) == set()
    assert broken(PROBLEM, {**OF_PROBLEMS, "retry-after": "1"}, 503) == set()


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"status": "friends"}, "friends"),
        ({"user_id": "a/b"}, "a/b"),
        ({"user_id": "..1"}, "..1"),
        ({"as_of": "yesterday"}, "yesterday"),
        ({"as_of": "2026-11-21T21:41:00Z"}, "2026-11-21T21:41:00Z"),
        ({"extra": 1}, "extra"),
        ({"stale": None}, "null"),
    ],
)
def test_a_body_that_was_not_promised(changed: dict[str, Any], what: str) -> None:
    assert any(what in found for found in broken(CONNECTION | changed, HEADERS))


@pytest.mark.parametrize("field", CONNECTION)
def test_a_field_that_is_missing(field: str) -> None:
    (found,) = broken({name: each for name, each in CONNECTION.items() if name != field}, HEADERS) or {""}
    assert f'"{field}" is a required property' in found


@pytest.mark.parametrize("name", [name for name in HEADERS if name != "content-type"])
def test_a_header_that_is_missing(name: str) -> None:
    headers = {each: value for each, value in HEADERS.items() if each != name}
    assert broken(CONNECTION, headers) == {f"get_connection 200: no {name}"}


@pytest.mark.parametrize(
    ("headers", "what"),
    [
        ({"x-powered-by": "us"}, "x-powered-by is not promised"),
        ({"content-typo": "us"}, "content-typo is not promised"),
        ({"connection-id": "7"}, "connection-id is not promised"),
        ({"age": "young"}, "age is no number"),
        ({"content-type": "text/plain"}, "text/plain is not promised"),
    ],
)
def test_a_header_that_was_not_promised(headers: dict[str, str], what: str) -> None:
    assert broken(CONNECTION, HEADERS | headers) == {f"get_connection 200: {what}"}


def test_a_status_that_was_not_promised() -> None:
    assert broken(CONNECTION, HEADERS, 201) == {"get_connection 201: this status is not promised"}


def test_a_problem_that_was_not_promised() -> None:
    headers = {**OF_PROBLEMS, "retry-after": "1"}
    assert len(broken(PROBLEM | {"type": "/problems/platform-timeout"}, headers, 503)) == 2  # schema, and call
    assert broken(PROBLEM | {"status": 504}, headers, 503) != set()
    assert broken(PROBLEM, OF_PROBLEMS, 503) == {"get_connection 503: no retry-after"}


def test_a_problem_without_a_page() -> None:
    wrong = broken(PROBLEM | {"type": "/problems/nothing"}, OF_PROBLEMS, 404, "/nowhere")
    assert "no call 404: /problems/nothing has no page" in wrong


def test_what_is_no_call_is_a_problem() -> None:
    assert broken(PROBLEM, OF_PROBLEMS, 404, "/nowhere") == set()
    assert broken(CONNECTION, HEADERS, 200, "/nowhere") != set()
    assert broken(PROBLEM, OF_PROBLEMS, 405, method="PATCH") == {"no call 405: no allow"}


@pytest.mark.parametrize(
    ("status", "body", "is_right"),
    [
        (200, {"jsonrpc": "2.0", "id": 1, "result": {}}, True),
        (404, {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "m"}}, True),
        (400, {"jsonrpc": "2.0", "error": {"code": -32700, "message": "m", "data": {}}}, True),
        (200, {"result": {}}, False),
        (201, {"jsonrpc": "2.0", "id": 1, "result": {}}, False),
        (404, {"jsonrpc": "2.0", "id": 1, "result": {}}, False),
        (400, {"jsonrpc": "2.0", "error": {"message": "m"}}, False),
        (202, {"jsonrpc": "2.0", "id": 1, "result": {}}, False),
    ],
)
def test_an_answer_of_the_model_context_protocol(status: int, body: Any, *, is_right: bool) -> None:
    watch = Promises()
    route = SimpleNamespace(path="/mcp")
    scope = {"type": "http", "method": "POST", "path": "/mcp", "raw_path": b"/mcp", "route": route}
    watch.check(scope, status, list(HEADERS.items()), msgspec.json.encode(body))
    assert (watch.broken == set()) is is_right


def test_every_promise_can_be_kept() -> None:
    made = set(Promises().made())
    assert {
        "get_connection 200",
        "get_connection platform-timeout",
        "get_readiness 503",
        "act_on_connection outcome-unknown",
    } <= made
