"""One login for everyone who waits, one repeat for each call, and a pause after a refusal."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from adapters.contract import Forbidden, OwnCredentialRefused, Unreachable, Viewer
from adapters.secret import Secret
from adapters.sessions import PAUSE, LoginRefused, Sessions
from adapters.upstream import Upstream
from tests.clock import virtual

VIEWER = Viewer.own("acme")


class Pod:
    """Accepts the tokens in `valid`; a login takes a second and answers `login()`."""

    def __init__(self, capacity: int = 100) -> None:
        self.valid: set[str] = set()
        self.logins = 0
        self.calls: list[str] = []
        self.answer_after = 0.1
        self.login: Callable[[], str] = self.new_token
        upstream = Upstream("acme", httpx.MockTransport(self._answer), timeout=10.0)
        self.sessions = Sessions(upstream, self._authorize, self._log_in, capacity)

    def new_token(self) -> str:
        token = f"token-{len(self.valid) + 1}"
        self.valid.add(token)
        return token

    async def call(self, viewer: Viewer = VIEWER) -> int:
        return (await self.sessions.call(viewer, httpx.Request("POST", "http://acme.example/"))).status_code

    async def _log_in(self, _viewer: Viewer) -> Secret:
        self.logins += 1
        await asyncio.sleep(1)
        return Secret(self.login())

    @staticmethod
    def _authorize(request: httpx.Request, token: Secret) -> None:
        request.headers["token"] = token.reveal()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.headers["token"])
        await asyncio.sleep(self.answer_after)
        return httpx.Response(200 if request.headers["token"] in self.valid else 401)


def refuse() -> str:
    raise LoginRefused(OwnCredentialRefused("acme", "no"))


def fail() -> str:
    raise Unreachable("acme", "no connection")


@virtual
async def test_the_first_call_logs_in_and_the_next_does_not() -> None:
    pod = Pod()
    assert [await pod.call(), await pod.call()] == [200, 200]
    assert (pod.logins, pod.calls) == (1, ["token-1", "token-1"])


@virtual
async def test_an_expired_session_costs_one_login_for_all() -> None:
    pod = Pod()
    await pod.call()
    pod.valid = {"token-of-somebody-else"}
    assert set(await asyncio.gather(*(pod.call() for _ in range(1000)))) == {200}
    assert pod.logins == 2


@virtual
async def test_a_refusal_that_arrives_after_the_renewal_costs_no_second_one() -> None:
    pod = Pod()
    await pod.call()
    pod.valid = {"token-of-somebody-else"}
    early = asyncio.create_task(pod.call())
    await asyncio.sleep(0.05)
    pod.answer_after = 5.0
    late = asyncio.create_task(pod.call())
    await asyncio.sleep(0.05)
    pod.answer_after = 0.1
    assert list(await asyncio.gather(early, late)) == [200, 200]
    assert pod.logins == 2


@virtual
async def test_who_comes_late_with_the_refused_token_uses_the_new_one() -> None:
    pod = Pod()
    await pod.call()
    pod.valid = {"token-of-somebody-else"}
    early = asyncio.create_task(pod.call())
    await asyncio.sleep(0.05)  # the early one's call is on the wire
    late = asyncio.create_task(pod.call())
    await asyncio.gather(early, late)
    await asyncio.sleep(60)
    assert pod.logins == 2


@virtual
async def test_a_call_is_repeated_once() -> None:
    pod = Pod()
    pod.login = lambda: "refused-at-once"
    with pytest.raises(OwnCredentialRefused):
        await pod.call()
    assert (len(pod.calls), pod.logins) == (2, 2)


@virtual
async def test_a_refused_login_is_reported_to_all_who_waited() -> None:
    pod = Pod()
    pod.login = refuse
    answers = await asyncio.gather(*(pod.call() for _ in range(100)), return_exceptions=True)
    assert {type(each) for each in answers} == {OwnCredentialRefused}
    assert (pod.logins, pod.calls) == (1, [])


@virtual
async def test_after_a_refused_login_none_is_tried_for_a_while() -> None:
    pod = Pod()
    pod.login = refuse
    with pytest.raises(OwnCredentialRefused):
        await pod.call()
    pod.login = pod.new_token
    await asyncio.sleep(PAUSE - 0.5)
    with pytest.raises(OwnCredentialRefused, match="no login is tried") as caught:
        await pod.call()
    assert caught.value.retry_after == pytest.approx(0.5)
    await asyncio.sleep(0.499)
    with pytest.raises(OwnCredentialRefused):
        await pod.call()
    assert pod.logins == 1
    await asyncio.sleep(0.001)
    assert await pod.call() == 200


@virtual
async def test_a_login_that_failed_otherwise_does_not_poison_the_next() -> None:
    pod = Pod()
    pod.login = fail
    answers = await asyncio.gather(pod.call(), pod.call(), return_exceptions=True)
    assert {type(each) for each in answers} == {Unreachable}
    pod.login = pod.new_token
    assert await pod.call() == 200
    assert pod.logins == 2


@virtual
async def test_who_leaves_takes_nobody_along() -> None:
    pod = Pod()
    leaving = asyncio.create_task(pod.call())
    staying = asyncio.create_task(pod.call())
    await asyncio.sleep(0.5)
    leaving.cancel()
    assert await staying == 200
    assert pod.logins == 1


@virtual
async def test_a_login_that_fails_after_everybody_left_is_nobodys_exception() -> None:
    pod = Pod()
    pod.login = fail
    leaving = asyncio.create_task(pod.call())
    await asyncio.sleep(0.5)
    leaving.cancel()
    unseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unseen.append(context))
    await asyncio.sleep(60)
    gc.collect()
    assert (pod.logins, unseen) == (1, [])


@virtual
async def test_a_login_ends_with_its_sessions() -> None:
    pod = Pod()
    leaving = asyncio.create_task(pod.call())
    await asyncio.sleep(0.5)
    leaving.cancel()
    await pod.sessions.aclose()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@virtual
async def test_viewers_have_sessions_of_their_own() -> None:
    pod = Pod()
    viewers = [Viewer("acme", bytes([number])) for number in range(10)]
    await asyncio.gather(*(pod.call(each) for each in viewers for _ in range(10)))
    assert pod.logins == 10
    assert len(set(pod.calls)) == 10


@virtual
async def test_the_session_used_longest_ago_is_dropped_first() -> None:
    pod = Pod(capacity=2)
    one, two, three = (Viewer("acme", bytes([number])) for number in range(3))
    for viewer in (one, two, one, three, one):
        await pod.call(viewer)
    assert pod.logins == 3
    await pod.call(two)
    assert pod.logins == 4


@virtual
async def test_who_is_forgotten_while_asking_logs_in_again() -> None:
    pod = Pod(capacity=1)
    one, two = (Viewer("acme", bytes([number])) for number in range(2))
    await pod.call(one)
    asking = asyncio.create_task(pod.call(one))
    await asyncio.sleep(0.05)
    pod.valid = {"token-of-somebody-else"}
    assert await pod.call(two) == 200
    assert await asking == 200
    assert pod.logins == 3


@virtual
async def test_who_is_logging_in_is_not_forgotten() -> None:
    pod = Pod(capacity=2)
    viewers = [Viewer("acme", bytes([number])) for number in range(10)]
    first = [asyncio.create_task(pod.call(viewer)) for viewer in viewers]
    await asyncio.sleep(0.5)
    again = [asyncio.create_task(pod.call(viewer)) for viewer in viewers]
    assert set(await asyncio.gather(*first, *again)) == {200}
    assert pod.logins == 10


@virtual
async def test_what_was_refused_is_forgotten_by_nobody_who_waits() -> None:
    """A login's failure reaches all who waited, the same for each, and the next one begins anew."""
    pod = Pod()
    pod.login = fail
    waiting = [asyncio.create_task(pod.call()) for _ in range(10)]
    await asyncio.sleep(1.5)
    pod.login = pod.new_token
    assert await pod.call() == 200
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in found} == {Unreachable}
    assert pod.logins == 2


@virtual
async def test_a_login_that_is_refused_may_be_another_problem_than_our_own() -> None:
    pod = Pod()

    def forbid() -> str:
        raise LoginRefused(Forbidden("acme", "not this one"))

    pod.login = forbid
    for later in (None, pytest.approx(4.0)):
        with pytest.raises(Forbidden, match="not this one") as caught:
            await pod.call()
        assert caught.value.retry_after == later
        await asyncio.sleep(1)
    assert pod.logins == 1


@virtual
async def test_who_does_not_wait_for_the_end_of_a_login_does_not_end_it() -> None:
    pod = Pod()
    asking = asyncio.create_task(pod.call())
    await asyncio.sleep(0.5)
    closing = asyncio.create_task(pod.sessions.aclose())
    await asyncio.sleep(0.1)
    closing.cancel()
    assert await asking == 200
