"""A platform that says no, or nonsense: one reason each, and never a guess."""

from __future__ import annotations

import asyncio
import traceback

import httpx
import pytest

from adapters.contract import (
    CredentialRefused,
    DeadlineExceeded,
    Forbidden,
    InvalidAnswer,
    OwnCredentialRefused,
    PlatformError,
    ServerError,
    Status,
    Throttled,
    Viewer,
)
from adapters.secret import Token
from adapters.simulation.faults import Fault
from tests.contract.dialects import BROKEN_EVERYWHERE, DIALECTS, USER, Platform

CANARY = "canary-3f9a2c71"

BROKEN = [
    pytest.param(each, body, id=f"{each.adapter}-{what}")
    for each in DIALECTS
    for what, body in (each.broken | BROKEN_EVERYWHERE).items()
]


@pytest.mark.parametrize(("dialect", "body"), BROKEN, indirect=["dialect"])
async def test_nonsense_is_an_invalid_answer(platform: Platform, body: str) -> None:
    platform.simulator.misbehave(Fault(path=str(platform.user), body=body))
    with pytest.raises(InvalidAnswer):
        await platform.read()


def test_the_dialect_has_answers_that_break_the_promise(platform: Platform) -> None:
    dialect = platform.dialect
    assert dialect.broken, "`broken` is empty in dialects.py: write one answer for each field that can be wrong"
    assert dialect.nameless, "`nameless` is empty in dialects.py: write an entry of a list that names no user"


async def test_bytes_that_are_not_text_are_an_invalid_answer(platform: Platform) -> None:
    adapter = platform.connect(
        httpx.MockTransport(lambda _request: httpx.Response(200, content=b'{"\xff\xfe": 1}')), mode="caller"
    )
    with pytest.raises(InvalidAnswer):
        await adapter.read(Viewer("acme", b"1", Token("t")), (platform.user,))


@pytest.mark.parametrize("body", ["<html>no such page</html>", "", "[]", "null", '"no"', "[" * 100_000])
async def test_a_404_that_is_not_the_platforms_own_is_an_invalid_answer(platform: Platform, body: str) -> None:
    platform.simulator.misbehave(Fault(path=str(platform.user), status=404, body=body, content_type="text/html"))
    with pytest.raises(InvalidAnswer):
        await platform.read()


@pytest.mark.parametrize("status", [201, 204, 301, 302, 304, 307, 400, 405, 406, 410, 418])
async def test_a_status_without_a_meaning_is_an_invalid_answer(platform: Platform, status: int) -> None:
    body = "" if status in {204, 304} else platform.dialect.good
    platform.simulator.misbehave(Fault(path=str(platform.user), status=status, body=body))
    with pytest.raises(InvalidAnswer):
        await platform.read()


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
async def test_5xx_is_the_platforms_failure(platform: Platform, status: int) -> None:
    platform.simulator.misbehave(Fault(path=str(platform.user), status=status))
    with pytest.raises(ServerError, match=str(status)):
        await platform.read()


async def test_503_keeps_its_retry_after(platform: Platform) -> None:
    platform.simulator.misbehave(Fault(path=str(platform.user), status=503, retry_after=7))
    with pytest.raises(ServerError) as caught:
        await platform.read()
    assert caught.value.retry_after == 7


@pytest.mark.parametrize(("header", "seconds"), [(3, 3.0), (None, 1.0), ("soon", 1.0), (10**12, 300.0)])
async def test_429_says_when_to_ask_again(platform: Platform, header: int | str | None, seconds: float) -> None:
    platform.simulator.misbehave(Fault(path=str(platform.user), status=429, retry_after=header))
    with pytest.raises(Throttled) as caught:
        await platform.read()
    assert caught.value.retry_after == seconds


async def test_403_is_explained(platform: Platform) -> None:
    platform.simulator.misbehave(Fault(path=str(platform.user), status=403))
    with pytest.raises(Forbidden, match=r"403: \w+"):
        await platform.read()


async def test_a_callers_token_that_is_refused_is_the_callers_matter(platform: Platform) -> None:
    adapter = platform.connect(httpx.ASGITransport(platform.simulator), mode="caller")
    with pytest.raises(CredentialRefused):
        await adapter.read(Viewer("acme", b"1", Token("expired")), (platform.user,))
    assert platform.simulator.calls.calls == 1


async def test_a_callers_token_is_what_the_platform_sees(platform: Platform) -> None:
    adapter = platform.connect(httpx.ASGITransport(platform.simulator), mode="caller")
    found = await platform.read(platform.id(101), adapter, Viewer("acme", b"1", Token("demo")))
    assert found.status is Status.CONNECTED


async def test_our_own_credential_that_is_refused_is_our_matter(platform: Platform) -> None:
    platform.simulator.misbehave(Fault(path=str(platform.user), status=401))
    with pytest.raises(OwnCredentialRefused):
        await platform.read()


async def test_a_platform_that_wants_tokens_can_be_told_by_its_refusal(platform: Platform) -> None:
    adapter = platform.connect(httpx.ASGITransport(platform.simulator), mode="caller")
    assert await adapter.identify() is None


@pytest.mark.parametrize("fault", [Fault(status=404), Fault(body="<html>"), Fault(status=401, body="<html>")])
async def test_what_answers_otherwise_is_no_such_platform(platform: Platform, fault: Fault) -> None:
    adapter = platform.connect(httpx.ASGITransport(platform.simulator), mode="caller")
    platform.simulator.misbehave(fault)
    with pytest.raises(InvalidAnswer):
        await adapter.identify()


async def test_a_slow_platform_meets_the_deadline(platform: Platform) -> None:
    adapter = platform.connect(httpx.ASGITransport(platform.simulator), timeout=0.05)
    platform.simulator.misbehave(Fault(delay=30))
    with pytest.raises(DeadlineExceeded):
        await platform.read(adapter=adapter)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize(
    "body",
    [
        f'{{"userId":{USER},"status":"{CANARY}","connection_status":"{CANARY}","message":{{"{CANARY}":1}}}}',
        f"<html>{CANARY}</html>",
        f'{{"{CANARY}":["{CANARY}"]}}',
    ],
)
async def test_what_the_platform_sent_is_never_quoted(platform: Platform, status: int, body: str) -> None:
    platform.simulator.misbehave(Fault(path=str(platform.user), status=status, body=body))
    (found,) = await asyncio.gather(platform.read(), return_exceptions=True)
    assert CANARY not in f"{found!r} {found} {found.__dict__ if isinstance(found, PlatformError) else ''}"
    if isinstance(found, BaseException):
        assert CANARY not in "".join(traceback.format_exception(found))


async def test_the_token_is_in_no_error(platform: Platform) -> None:
    adapter = platform.connect(httpx.ASGITransport(platform.simulator), mode="caller")
    viewer = Viewer("acme", b"1", Token(CANARY))
    with pytest.raises(CredentialRefused) as caught:
        await adapter.read(viewer, (platform.user,))
    assert CANARY not in f"{caught.value!r} {caught.value} {viewer!r} {viewer.token} {platform.settings()!r}"
