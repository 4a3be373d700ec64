"""`POST /v1/lookup` in lines: each result as soon as it is known."""

from __future__ import annotations

import pytest

from adapters.simulation.faults import Fault
from tests import clock
from tests.gateways import CALLERS, OWN, Gateway, running
from tests.streaming.reading import NDJSON, ask, indexes, users

LOOKUP = "/v1/lookup"
MIXED = users("acme/102", "club/102", "nowhere/1", "club/101", "acme/102", "club/404404")


async def test_each_user_is_a_line(gateway: Gateway) -> None:
    answer = await ask(gateway, LOOKUP, MIXED)
    assert (answer.status, answer.headers["content-type"]) == (200, NDJSON)
    assert "content-length" not in answer.headers
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["vary"].endswith(", Accept, Accept-Encoding")
    *lines, last = answer.lines
    assert sorted(indexes(lines)) == [0, 1, 2, 3, 4, 5]
    assert last == {"count": 6}
    assert answer.is_whole


async def test_lines_say_what_the_document_says(gateway: Gateway) -> None:
    document = (await gateway.client.post(LOOKUP, content=MIXED)).json()["results"]
    lines = {line.pop("index"): line for line in (await ask(gateway, LOOKUP, MIXED)).lines[:-1]}
    for index, result in enumerate(document):
        for each in (result, lines[index]):
            if "connection" in each:
                each["connection"]["as_of"] = ""
            else:
                each["error"]["instance"] = ""
        assert lines[index] == result


@pytest.mark.parametrize(
    ("accept", "is_lines"),
    [
        (NDJSON, True),
        (f"{NDJSON}, application/json;q=0.5", True),
        (f"text/html, {NDJSON};q=0.9", True),
        (f"{NDJSON.upper()}; charset=utf-8", True),
        (f"{NDJSON};q=0", False),
        (f"{NDJSON};q=x", False),
        (f"application/json, {NDJSON};q=0.9", False),
        ("application/json", False),
        ("*/*", False),
        ("application/*", False),
    ],
)
async def test_who_prefers_lines_gets_lines(gateway: Gateway, accept: str, is_lines: bool) -> None:
    answer = await gateway.client.post(LOOKUP, content=users("acme/102"), headers={"Accept": accept})
    assert (answer.headers["content-type"] == NDJSON) is is_lines


def test_a_platform_that_hangs_holds_up_nobody_else() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.acme.misbehave(Fault(path="connection", delay=100))
            gateway.club.misbehave(Fault(delay=0.25))
            answer = await ask(gateway, LOOKUP, MIXED)
            came = dict(zip(indexes(answer.lines), answer.times(), strict=False))
            assert came == {2: 0.0, 1: 0.25, 3: 0.25, 5: 0.25, 0: 2.0, 4: 2.0}
            slugs = {line["error"]["type"] for line in answer.lines[-3:-1]}
            assert slugs == {"/problems/platform-timeout"}
            line = gateway.logged()[-1]
            assert line["problems"] == {"platform-timeout": 2, "unknown-platform": 1, "user-not-found": 1}

    clock.run(main())


def test_each_call_of_a_platform_is_told_as_it_comes_back() -> None:
    """A community takes 500 users in a call."""

    async def main() -> None:
        async with running(request_timeout=2.0, each={"max_calls": 1}) as gateway:
            gateway.club.misbehave(Fault(delay=0.25))
            answer = await ask(gateway, LOOKUP, users(*(f"club/{1000 + number}" for number in range(1000))))
            assert [(time, len(lines)) for time, lines in answer.parts] == [(0.25, 500), (0.5, 500), (0.5, 1)]
            assert answer.lines[-1] == {"count": 1000}

    clock.run(main())


async def test_what_is_cached_comes_first() -> None:
    async with running(OWN, cache={"fresh_for": 60, "stale_for": 60}) as gateway:
        await gateway.client.get("/v1/connections/club/101")
        answer = await ask(gateway, LOOKUP, users("club/1000", "club/101"))
        assert [indexes(lines) for _, lines in answer.parts] == [[1], [0], []]


async def test_a_missing_credential_is_each_users_line(passing: Gateway) -> None:
    answer = await ask(passing, LOOKUP, MIXED, sessionToken="demo")
    errors = {line["index"]: line["error"]["type"] for line in answer.lines[:-1] if "error" in line}
    assert errors == {
        1: "/problems/missing-credential",
        2: "/problems/unknown-platform",
        3: "/problems/missing-credential",
        5: "/problems/missing-credential",
    }


async def test_what_is_malformed_refuses_the_whole_call(gateway: Gateway) -> None:
    answer = await gateway.client.post(LOOKUP, content=users("acme/0"), headers={"Accept": NDJSON})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_a_reader_that_stops_stops_the_answer_at_its_deadline() -> None:
    """What it has not taken by then is handed over in one piece, and its place is free."""

    async def main() -> None:
        async with running(CALLERS, max_concurrency=1, request_timeout=2.0) as gateway:
            sent = []

            async def send(message: dict[str, object]) -> None:
                if message["type"] == "http.response.body" and message["more_body"]:
                    await clock.forever()
                sent.append((message["type"], message.get("body", b"")))

            await ask(gateway, LOOKUP, MIXED, send, sessionToken="demo", Authorization="Bearer demo")
            assert [kind for kind, _ in sent] == ["http.response.start", "http.response.body"]
            assert bytes(sent[1][1]).count(b"\n") == 7  # type: ignore[call-overload]
            again = await ask(gateway, LOOKUP, users("club/101"), Authorization="Bearer demo")
            assert again.lines[0]["connection"]["status"] == "connected"

    clock.run(main())


@pytest.mark.parametrize("each", [{}, {"max_waiting": 1}])
async def test_a_lookup_in_lines_takes_one_place_at_each_platform(each: dict[str, int]) -> None:
    async with running(each=each) as gateway:
        for _ in range(3):
            assert len((await ask(gateway, LOOKUP, MIXED)).lines) == 7


async def test_where_no_place_is_left_that_is_each_users_line() -> None:
    async with running(each={"max_waiting": 1}) as gateway:
        platform = gateway.app.state.snapshots.current.platforms["club"]
        with platform._stack.room:  # noqa: SLF001  the place of another lookup
            answer = await ask(gateway, LOOKUP, users("club/101", "acme/101"))
        found = {line["index"]: line.get("error", {}).get("type") for line in answer.lines[:-1]}
        assert found == {0: "/problems/overloaded", 1: None}
