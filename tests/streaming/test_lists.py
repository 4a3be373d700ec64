"""`GET /v1/connections` in lines: each connection as soon as its platform has answered."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from adapters.simulation.faults import Fault
from tests import clock
from tests.gateways import CALLERS, OWN, Gateway, running
from tests.lists.asking import PENDING, listed, names
from tests.streaming.reading import LIST, NDJSON, Parts, ask, indexes


def listed_in(answer: Parts) -> list[str]:
    return names({"connections": [line["connection"] for line in answer.lines[:-1]]})


async def whole(gateway: Gateway, query: str) -> tuple[list[str], list[Any]]:
    """Whom all pages name, and the last line of each."""
    found, ends = [], []
    cursor = ""
    while True:
        answer = await ask(gateway, f"{LIST}?{query}{cursor}")
        found += listed_in(answer)
        ends.append(answer.lines[-1])
        assert len(answer.lines) - 1 == ends[-1]["count"]
        if ends[-1]["next_cursor"] is None:
            return found, ends
        cursor = f"&cursor={ends[-1]['next_cursor']}"


async def test_each_connection_is_a_line(gateway: Gateway) -> None:
    answer = await ask(gateway, LIST)
    assert (answer.status, answer.headers["content-type"]) == (200, NDJSON)
    assert sorted(listed_in(answer)) == PENDING
    assert indexes(answer.lines) == [0, 1, 2, 3]
    assert answer.lines[-1] == {"count": 4, "errors": [], "next_cursor": None, "complete": True}


def test_a_platform_that_hangs_holds_up_nobody_else() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.acme.misbehave(Fault(path="connection", delay=100))
            answer = await ask(gateway, LIST)
            assert list(zip(listed_in(answer), answer.times(), strict=False)) == [
                ("club/102", 0.0),
                ("club/103", 0.0),
            ]
            last = answer.lines[-1]
            assert (last["count"], last["complete"], last["next_cursor"]) == (2, False, None)
            assert [error["type"] for error in last["errors"]] == ["/problems/platform-timeout"]
            assert answer.times()[-1] == pytest.approx(2.0, abs=0.05)

    clock.run(main())


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100, 500])
@pytest.mark.parametrize("slow", ["acme", "club", ""])
def test_pages_of_any_size_hold_everybody_once(limit: int, slow: str) -> None:
    """Whichever platform answers first takes the room, and both go on where they stopped."""

    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            for number in range(2000, 2020):
                gateway.acme.platform.set_connection(1, number, "PENDING_INCOMING")
                gateway.club.platform.set_connection(1, number, "received_connection_request")
            expected = names(await listed(gateway, ("limit", 500)))
            if slow:
                gateway.simulators[slow].misbehave(Fault(delay=0.1))
            found, ends = await whole(gateway, f"limit={limit}")
            assert sorted(found) == sorted(expected)
            assert all(end["count"] <= limit and end["complete"] for end in ends)

    clock.run(main())


async def test_a_cursor_of_lines_is_one_of_documents_and_back(gateway: Gateway) -> None:
    found = listed_in(first := await ask(gateway, f"{LIST}?limit=1"))
    page = await listed(gateway, ("limit", 1), ("cursor", first.lines[-1]["next_cursor"]))
    found += names(page)
    rest = await ask(gateway, f"{LIST}?limit=500&cursor={page['next_cursor']}")
    assert sorted(found + listed_in(rest)) == PENDING


async def test_where_every_platform_refuses_the_caller_so_does_the_call(passing: Gateway) -> None:
    answer = await passing.client.get(LIST, headers={"Accept": NDJSON})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


async def test_a_refusal_beside_an_answer_is_in_the_last_line() -> None:
    async with running(CALLERS) as gateway:
        answer = await ask(gateway, LIST, sessionToken="demo")
        assert listed_in(answer) == PENDING[:2]
        assert [each["type"] for each in answer.lines[-1]["errors"]] == ["/problems/missing-credential"]


async def test_a_forged_position_is_its_platforms_error(gateway: Gateway) -> None:
    """Others have been listed by the time it is found out."""
    text = (await ask(gateway, f"{LIST}?limit=1")).lines[-1]["next_cursor"]
    assert text
    forged = _with_place(text, 1, [9, 0])
    answer = await ask(gateway, f"{LIST}?limit=500&cursor={forged}")
    assert listed_in(answer) == ["acme/103"]
    (error,) = answer.lines[-1]["errors"]
    assert (error["type"], error["platform"]) == ("/problems/invalid-request", "club")


async def test_what_was_kept_is_told_as_stale() -> None:
    async with running(OWN, cache={"fresh_for": 5, "stale_for": 60}) as gateway:
        await ask(gateway, LIST)
        gateway.club.misbehave(Fault(status=500))
        answer = await ask(gateway, LIST)
        stale = {line["connection"]["platform"]: line["connection"]["stale"] for line in answer.lines[:-1]}
        assert stale == {"acme": False, "club": True}
        assert answer.lines[-1]["complete"] is False


async def test_an_empty_list_is_its_last_line(gateway: Gateway) -> None:
    answer = await ask(gateway, f"{LIST}?user_id=105")
    assert answer.lines == [{"count": 0, "errors": [], "next_cursor": None, "complete": True}]


async def test_the_head_of_a_list_has_no_lines(gateway: Gateway) -> None:
    answer = await gateway.client.head(LIST, headers={"Accept": NDJSON})
    assert (answer.status_code, answer.headers["content-type"]) == (200, NDJSON)


def _with_place(cursor: str, index: int, position: list[int]) -> str:
    parts = msgspec.msgpack.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    parts[2] = [[0, [0, 102, ""]], [index, [*position, ""]]]
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(parts)).rstrip(b"=").decode()
