"""Whatever is sent that no client should send: one answer at most, none that says yes or that it is our fault."""

from __future__ import annotations

import asyncio

import pytest

from tests.protocol.lines import GET, line, open_line
from tests.protocol.malformed import HIDDEN, STATUSES, malformed

ALL = dict(malformed())


def test_they_are_three_hundred() -> None:
    assert len(ALL) >= 300


async def test_nothing_that_is_malformed_is_done_or_answered_twice() -> None:
    wrong: dict[str, bytes] = {}
    async with line(header_timeout=0.5, keep_alive_timeout=0.5) as it:
        before = it.gateway.calls

        async def send(name: str, said: bytes) -> None:
            async with turn, open_line(it) as one:
                one.writer.write(said)
                answer = await one.rest()
            statuses = [int(status) for status in STATUSES.findall(answer)]
            if len(statuses) > 1 or any(not 400 <= status < 500 for status in statuses) or (answer and not statuses):
                wrong[name] = answer

        turn = asyncio.Semaphore(60)
        await asyncio.gather(*(send(*each) for each in ALL.items()))
        assert {name: answer[:90] for name, answer in wrong.items()} == {}
        assert it.gateway.calls == before
        assert it.gateway.acme.platform.connection(1, 102) == "PENDING_INCOMING"
        async with open_line(it) as one:
            one.writer.write(GET % 103)
            assert b'"103"' in (await one.answer())[1]


async def test_what_is_malformed_is_a_problem_and_stands_in_the_log() -> None:
    async with line() as it:
        it.writer.write(b"canary-5b1c9e\r\n\r\n")
        answer = await it.rest()
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"\r\ncontent-type: application/problem+json\r\n" in answer
        assert b"\r\nconnection: close\r\n" in answer
        assert b'"type":"/problems/invalid-request"' in answer
        (logged,) = [each for each in it.gateway.lines if '"event":"request"' in each]
        assert '"problem":"invalid-request"' in logged
        assert "canary" not in "".join(it.gateway.lines)


@pytest.mark.parametrize("said", [b"canary\r\n\r\n", HIDDEN.replace(b"\r\nHost", b"\r\nContent-Length: x\r\nHost")])
async def test_a_malformed_request_is_answered_after_those_before_it(said: bytes) -> None:
    async with line() as it:
        it.writer.write(GET % 101 + GET % 103 + said)
        users = [(await it.answer())[1].partition(b'"user_id":"')[2].partition(b'"')[0] for _ in range(2)]
        assert users == [b"101", b"103"]
        assert (await it.rest()).startswith(b"HTTP/1.1 400 ")


async def test_an_early_answer_waits_for_a_body_that_may_be_malformed() -> None:
    """An action that is refused before its body is there, which then turns out to be broken: one answer, and a 400."""
    async with line() as it:
        it.writer.write(b"POST /nowhere%20 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        await asyncio.sleep(0.05)
        it.writer.write(b"nonsense\r\n")
        assert STATUSES.findall(await it.rest()) == [b"400"]


@pytest.mark.parametrize("size", [5, 200_000])
async def test_an_early_answer_comes_when_its_request_has_come(size: int) -> None:
    async with line() as it:
        it.writer.write(b"POST /nowhere%%20 HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size)
        it.writer.write(b"x" * size + GET % 101)
        assert (await it.answer())[0].startswith(b"HTTP/1.1 404 ")
        assert b'"101"' in (await it.answer())[1]


async def test_a_refusal_arrives_although_its_caller_goes_on_sending() -> None:
    async with line() as it:
        it.writer.write(
            b"POST /v1/lookup HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n" + b"x" * 3_000_000
        )
        assert STATUSES.findall(await it.rest()) == [b"400"]


async def test_an_offer_to_speak_something_else_is_declined() -> None:
    async with line() as it:
        offer = (
            b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
        )
        for _ in range(2):
            it.writer.write((GET % 101)[:-2] + offer + GET % 103)
            assert b'"user_id":"101"' in (await it.answer())[1]
            assert b'"user_id":"103"' in (await it.answer())[1]
