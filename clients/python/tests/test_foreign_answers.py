"""Answers that are no gateway's, or of a newer one: each a typed error that says what to do, or nothing."""

from __future__ import annotations

import asyncio
import logging
import random
import traceback
from typing import Any

import msgspec
import pytest
from connection_gateway import AsyncGateway, Connection, Gateway, GatewayError, GatewayUnreachable, UnexpectedAnswer
from connection_gateway.problems import Problem

from tests.clients.driver import CONNECTION
from tests.clients.scripted_server import response, scripted

UNHURRIED = 5.0
"""Seconds that a call may take."""
SECRETS = "key-9d1f0c77aa", "token-4be1a2cd90"
HTML = b"<html><h1>502 Bad Gateway</h1>"
PROBLEM = {"type": "/problems/of-a-newer-gateway", "title": "New", "status": 418, "detail": "because", "more": [1]}


def encoded(**fields: Any) -> bytes:
    return response(200, msgspec.json.encode(CONNECTION | fields))


@pytest.mark.parametrize(
    ("answer", "raised", "told"),
    [
        (response(502, HTML, "text/html"), UnexpectedAnswer, "status 502 can't be read: is the URL a gateway's"),
        (response(200, HTML, "text/html"), UnexpectedAnswer, "status 200 can't be read: is the URL a gateway's"),
        (response(301, b"", location="https://elsewhere.example"), UnexpectedAnswer, "status 301"),
        (response(404, b'{"detail": "Not Found"}'), UnexpectedAnswer, "status 404"),
        (response(204, b""), UnexpectedAnswer, "status 204"),
        (response(200, b'{"platform": "\xff"}'), UnexpectedAnswer, "status 200"),
        (response(503, HTML, "text/html", retry_after="60"), UnexpectedAnswer, "status 503"),
        (b"220 mail.example ESMTP\r\n\r\n", GatewayUnreachable, "the connection was lost"),
        (response(200, b"{}", content_encoding="gzip"), GatewayUnreachable, "DecodingError"),
        (None, GatewayUnreachable, "the connection was lost"),
        (encoded(status="befriended"), UnexpectedAnswer, "this client as new as the gateway"),
        (response(418, msgspec.json.encode(PROBLEM)), Problem, "of-a-newer-gateway: New: because"),
        (encoded(mood="happy"), None, ""),
    ],
)
async def test_an_answer(answer: bytes | None, raised: type[GatewayError] | None, told: str) -> None:
    async with scripted(lambda *_: answer) as server:

        def ask() -> Connection:
            with Gateway(server.url, timeout=UNHURRIED) as gateway:
                return gateway.lookup("acme", 1)

        async with AsyncGateway(server.url, timeout=UNHURRIED) as gateway:
            for asked in (gateway.lookup("acme", 1), asyncio.to_thread(ask)):
                if raised is None:
                    assert (await asked).user_id == "1"
                else:
                    with pytest.raises(raised, match=told) as error:
                        await asked
                    assert type(error.value) is raised


async def test_what_is_in_front_of_the_gateway_can_ask_to_wait() -> None:
    async with (
        scripted(lambda *_: response(503, HTML, "text/html", retry_after="60")) as server,
        AsyncGateway(server.url) as gateway,
    ):
        with pytest.raises(UnexpectedAnswer):
            await gateway.lookup("acme", 1)
        for call in (gateway.lookup("acme", 1), gateway.platforms(), gateway.act(("club", 2), "accept")):
            with pytest.raises(GatewayUnreachable, match="not sent, because 60 s are left"):
                await call
        assert server.received.total() == 1


async def test_results_that_are_too_few() -> None:
    async with (
        scripted(lambda *_: response(200, b'{"results": []}')) as server,
        AsyncGateway(server.url) as gateway,
    ):
        with pytest.raises(UnexpectedAnswer, match="0 of 2 users"):
            await gateway.lookup_many([("acme", 1), ("acme", 2)])


@pytest.mark.parametrize("face", ["async", "sync"])
async def test_an_action_arrives_once_at_most(face: str) -> None:
    """Some hundred actions at a server that fails at random."""
    chance = random.Random(21)  # noqa: S311  a seed
    later = {"type": "/problems/overloaded", "title": "No", "status": 503, "detail": "because", "retry_after": 0}

    def respond(_line: str, _head: bytes) -> bytes | None:
        whole = encoded()
        overloaded = response(503, msgspec.json.encode(later), retry_after="0")
        unknown = response(504, msgspec.json.encode(later | {"type": "/problems/outcome-unknown", "status": 504}))
        answers = [whole, whole[:-9], None, overloaded, unknown, response(502, HTML, "text/html"), b""]
        return chance.choices(answers, [6, 2, 6, 6, 6, 6, 1])[0]  # the last two take until the timeout

    def act(gateway: Gateway, user: int) -> Connection | None:
        try:
            return gateway.act(("acme", user), "accept")
        except GatewayError:
            return None

    async with scripted(respond) as server:
        if face == "sync":
            with Gateway(server.url, timeout=0.25) as one:
                done = await asyncio.to_thread(lambda: [act(one, user) for user in range(1, 101)])
        else:
            async with AsyncGateway(server.url, timeout=0.75) as gateway:
                found: list[Connection | BaseException] = []
                for start in range(1, 301, 50):
                    acts = [gateway.act(("acme", user), "accept") for user in range(start, start + 50)]
                    found += await asyncio.gather(*acts, return_exceptions=True)
            assert {isinstance(each, Connection | GatewayError) for each in found} == {True}
            done = [each if isinstance(each, Connection) else None for each in found]
    assert 0 < sum(each is not None for each in done) < len(done)
    assert set(server.received.values()) == {1}


async def test_no_secret_is_told(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    caplog.set_level(logging.DEBUG)
    answers = [encoded(), response(502, HTML), response(418, msgspec.json.encode(PROBLEM)), None, b"220\r\n\r\n"]
    for answer in answers:
        async with (
            scripted(lambda *_, answer=answer: answer) as server,
            AsyncGateway(server.url, api_key=SECRETS[0], timeout=UNHURRIED) as gateway,
        ):
            view = gateway.with_tokens(acme=SECRETS[1])
            told += [repr(view), repr(gateway), str(view)]
            try:
                told.append(repr(await view.lookup("acme", 1)))
            except GatewayError as error:
                report = traceback.TracebackException.from_exception(error, capture_locals=True)
                told += [repr(error), str(error), *report.format()]
    with pytest.raises(ValueError, match="acme") as refused:
        gateway.with_tokens(acme=f"{SECRETS[1]},")
    told += [str(refused.value), caplog.text]
    assert "httpcore" in caplog.text
    assert not [text for text in told for secret in SECRETS if secret in text]
