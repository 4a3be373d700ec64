"""`Retry-After` binds the client: while it lasts, no request leaves to the platform or gateway that it holds back."""

from __future__ import annotations

import msgspec
import pytest
from connection_gateway import GatewayError, GatewayUnreachable
from connection_gateway.attempts import Send
from connection_gateway.identity import Identity
from connection_gateway.models import Connection, Status
from connection_gateway.problems import Overloaded, PlatformThrottled, PlatformUnavailable, Problem
from connection_gateway.protocol import Answer, Request, act, lookup

from tests.clients.driver import CONNECTION, Driver, ok, refused

THROTTLED = refused("platform-throttled", 429, 7, "acme")
UNAVAILABLE = refused("platform-unavailable", 503, 7, "acme")
OVERLOADED = refused("overloaded", 503, 7)
PROXY = Answer(503, 7, b"<html>")


def held_by(first: Answer, timeout: float = 2.0) -> Driver:
    """A client whose first lookup was answered so, and whose gateway answers everything else."""
    driver = Driver(lambda _: first)
    with pytest.raises(GatewayError):
        driver.run(driver.calls().one(lookup("acme", 1), Connection, timeout))
    assert len(driver.sent) == 1
    driver.respond = ok
    return driver


@pytest.mark.parametrize(
    ("first", "raised"),
    [
        (THROTTLED, PlatformThrottled),
        (UNAVAILABLE, PlatformUnavailable),
        (OVERLOADED, Overloaded),
        (PROXY, GatewayUnreachable),
    ],
)
@pytest.mark.parametrize("request_", [lookup("acme", 2), act("acme", 2, "accept")], ids=["lookup", "act"])
def test_nothing_leaves_until_it_is_over(first: Answer, raised: type[Exception], request_: Request) -> None:
    driver = held_by(first)
    for driver.now in (0.0, 2.5, 4.99):
        with pytest.raises(raised, match="not sent") as error:
            driver.run(driver.calls().one(request_, Connection, 2.0))
        assert getattr(error.value, "sent", True) is False
    assert len(driver.sent) == 1
    driver.now = 7.0
    driver.run(driver.calls().one(request_, Connection, 2.0))
    assert len(driver.sent) == 2


def test_a_call_that_has_the_time_waits() -> None:
    driver = held_by(THROTTLED)
    driver.run(driver.calls().one(act("acme", 2, "accept"), Connection, 10.0))
    ((at, send),) = driver.sent[1:]
    assert (at, send.timeout) == (7.0, 3.0)


def test_a_call_that_can_not_wait_so_long_says_how_long() -> None:
    driver = held_by(UNAVAILABLE)
    driver.now = 4.5
    with pytest.raises(PlatformUnavailable) as error:
        driver.run(driver.calls().one(lookup("acme", 2), Connection, 2.0))
    assert (error.value.retry_after, error.value.platform) == (3, "acme")


@pytest.mark.parametrize(
    ("first", "platform", "identity", "leaves"),
    [
        (THROTTLED, "club", Identity(), True),
        (UNAVAILABLE, "club", Identity(), True),
        (OVERLOADED, "club", Identity(), False),
        (PROXY, "club", Identity(), False),
        # a community throttles each viewer alone; a platform that can't be reached can't be for anybody
        (THROTTLED, "acme", Identity(viewers={"acme": "3"}), True),
        (THROTTLED, "acme", Identity(tokens={"acme": "another"}), True),
        (THROTTLED, "acme", Identity(viewers={"club": "3"}), False),
        (UNAVAILABLE, "acme", Identity(viewers={"acme": "3"}), False),
        (refused("overloaded", 503, 7, "acme"), "acme", Identity(), False),
        (refused("overloaded", 503, 7, "acme"), "club", Identity(), True),
        (refused("of-a-newer-gateway", 429, 7, "acme"), "acme", Identity(viewers={"acme": "3"}), False),
    ],
)
def test_retry_after_holds_back_one_scope(first: Answer, platform: str, identity: Identity, *, leaves: bool) -> None:
    driver = held_by(first)
    try:
        driver.run(driver.calls(identity).one(lookup(platform, 2), Connection, 2.0))
    except (Problem, GatewayUnreachable) as refusal:
        assert not refusal.sent  # noqa: PT017  both kinds have it
    assert len(driver.sent) == 1 + leaves


def test_a_second_try_waits_for_it() -> None:
    answers = iter([refused("platform-throttled", 429, 1, "acme"), ok(Send(lookup("acme", 1), 1.0))])
    driver = Driver(lambda _: next(answers))
    driver.run(driver.calls().one(lookup("acme", 1), Connection, 2.0))
    assert [at for at, _ in driver.sent] == [0.0, 1.0]


def each_of(send: Send) -> Answer:
    """Every user of acme is throttled for 7 seconds, and all others are answered for."""
    assert send.request.body is not None
    error = msgspec.json.decode(refused("platform-throttled", 429, 7, "acme").body)
    users = msgspec.json.decode(send.request.body)["users"]
    results = [
        {"error": error | user} if user["platform"] == "acme" else {"connection": CONNECTION} for user in users
    ]
    return Answer(200, None, msgspec.json.encode({"results": results}))


def test_a_result_binds_as_a_response_does() -> None:
    users = [("acme", "1"), ("club", "2"), ("acme", "3"), ("club", "4")]
    driver = Driver(each_of)
    assert [type(each) for each in driver.run(driver.calls().lookup_many(users, 2.0))] == [
        PlatformThrottled,
        Connection,
    ] * 2
    again = driver.run(driver.calls().lookup_many(users, 2.0))
    first, found, third, _ = again
    assert isinstance(found, Connection)
    assert isinstance(first, PlatformThrottled)
    assert isinstance(third, PlatformThrottled)
    assert (first.user_id, third.user_id, first.sent) == ("1", "3", False)
    told = [send.request.body for _, send in driver.sent]
    assert len(told) == 2
    assert b"acme" not in (told[1] or b"")


def test_users_of_a_platform_that_is_held_back_are_asked_for_last() -> None:
    driver = held_by(THROTTLED)
    driver.respond = found_for_each
    results = driver.run(driver.calls().lookup_many([("acme", "1"), ("club", "2"), ("acme", "3")], 10.0))
    assert [type(each) for each in results] == [Connection] * 3
    bodies = [(at, send.request.body or b"") for at, send in driver.sent[1:]]
    assert [(at, b"club" in body, b"acme" in body) for at, body in bodies] == [(0.0, True, False), (7.0, False, True)]


def found_for_each(send: Send) -> Answer:
    users = msgspec.json.decode(send.request.body or b"")["users"]
    return Answer(200, None, msgspec.json.encode({"results": [{"connection": CONNECTION} for _ in users]}))


def test_an_entry_of_a_list_binds_its_platform_and_the_list_goes_on() -> None:
    error = msgspec.json.decode(UNAVAILABLE.body)
    page = {"connections": [], "errors": [error], "next_cursor": None, "complete": False}
    driver = Driver(lambda _: Answer(200, None, msgspec.json.encode(page)))
    calls = driver.calls()
    driver.run(calls.page((), (Status.CONNECTED,), None, 2.0))
    with pytest.raises(PlatformUnavailable, match="not sent"):
        driver.run(calls.one(lookup("acme", 1), Connection, 2.0))
    with pytest.raises(PlatformUnavailable, match="not sent"):
        driver.run(calls.page(("acme",), (), None, 2.0))
    driver.run(calls.page((), (), None, 2.0))
    assert len(driver.sent) == 2


def test_a_problem_without_it_binds_nothing() -> None:
    driver = held_by(refused("platform-error", 502, None, "acme"))
    driver.run(driver.calls().one(lookup("acme", 2), Connection, 2.0))
    assert len(driver.sent) == 2
