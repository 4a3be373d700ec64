"""Lists that are honest about what is missing: `complete`, and the status of a call that every platform refuses."""

from __future__ import annotations

import pytest

from adapters.simulation.faults import Fault
from tests.gateways import CALLERS, OWN, Gateway, caller, running
from tests.lists.asking import get, listed, names, slugs

REFUSALS = [
    (401, "credential-refused"),
    (403, "platform-forbidden"),
]


async def test_a_page_without_errors_is_complete(gateway: Gateway) -> None:
    assert (await listed(gateway))["complete"] is True


@pytest.mark.parametrize("down", ["acme", "club"])
async def test_a_page_that_lacks_a_platform_is_not_complete(gateway: Gateway, down: str) -> None:
    gateway.simulators[down].misbehave(Fault(status=500))
    page = await listed(gateway)
    assert (list(slugs(page)), page["complete"]) == ([down], False)


async def test_a_page_that_lacks_one_user_is_not_complete(gateway: Gateway) -> None:
    body = {"connection_statuses": {"101": "connected", "102": "blocked"}}
    gateway.club.misbehave(Fault(path="statuses", body=body))
    page = await listed(gateway, ("platform", "club"), ("status", "all"), ("user_id", 101), ("user_id", 102))
    assert (names(page), page["complete"]) == (["club/101"], False)


@pytest.mark.parametrize(("status", "slug"), REFUSALS)
@pytest.mark.parametrize("named", [(), (("user_id", 102),), (("user_id", 102), ("user_id", 103))], ids=len)
async def test_where_every_platform_refuses_the_caller_so_does_the_call(
    status: int, slug: str, named: tuple[tuple[str, int], ...]
) -> None:
    async with running(CALLERS) as gateway:
        for each in gateway.simulators.values():
            each.misbehave(Fault(path="connection", status=status))
        headers = {"sessionToken": "demo", "Authorization": "Bearer demo"}
        answer = await get(gateway, *named, **headers)
    if named and len(named) == 1 and status == 403:
        assert answer.status_code == 200  # it is this user who may not be seen
    else:
        assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")


async def test_a_call_without_any_credential_says_so(passing: Gateway) -> None:
    answer = await get(passing)
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/missing-credential")
    assert answer.headers["www-authenticate"] == "sessionToken, Bearer"
    assert passing.logged()[-1]["problem"] == "missing-credential"


async def test_what_one_platform_has_is_told_though_another_refuses(passing: Gateway) -> None:
    page = await listed(passing, sessionToken="demo")
    assert names(page) == ["acme/102", "acme/103"]
    assert (slugs(page), page["complete"]) == ({"club": "missing-credential"}, False)


async def test_an_empty_list_beside_a_refusal_is_an_answer(passing: Gateway) -> None:
    passing.acme.platform.tokens.accept("token-of-105", 105)
    page = await listed(passing, sessionToken="token-of-105")
    assert (names(page), slugs(page)) == ([], {"club": "missing-credential"})


async def test_a_failure_beside_a_refusal_is_an_answer(passing: Gateway) -> None:
    passing.acme.misbehave(Fault(status=500))
    page = await listed(passing, sessionToken="demo")
    assert slugs(page) == {"acme": "platform-error", "club": "missing-credential"}


async def test_the_gateways_own_credential_is_not_the_callers_affair() -> None:
    async with running(OWN, [caller("web")]) as gateway, gateway.as_caller("web") as client:
        for each in gateway.simulators.values():
            each.misbehave(Fault(path="connection", status=401))
        answer = await client.get("/v1/connections")
        assert answer.status_code == 200
        assert {each["type"] for each in answer.json()["errors"]} == {"/problems/platform-credential-refused"}
