"""Entries of a platform's list that name no user, such as a request of an account that was deleted."""

from __future__ import annotations

from adapters.simulation.faults import Fault
from tests.gateways import Gateway
from tests.lists.asking import listed, names, slugs


async def test_entries_that_name_no_user_are_one_error_that_spoils_no_other(gateway: Gateway) -> None:
    entries = [{"from_user": who, "created": None, "rejected": None} for who in (None, {"id": 7}, None, {"id": 8})]
    body = {"count": 4, "next": None, "results": entries}
    gateway.club.misbehave(Fault(path="/connection/requests/", body=body))
    page = await listed(gateway, ("platform", "club"), ("status", "pending_incoming"))
    assert names(page) == ["club/7", "club/8"]
    (error,) = page["errors"]
    assert (error["platform"], error["type"]) == ("club", "/problems/platform-invalid-answer")
    assert "user_id" not in error
    assert page["next_cursor"] is None


async def test_a_page_may_end_behind_an_entry_that_names_no_user(gateway: Gateway) -> None:
    gateway.acme.misbehave(
        Fault(path="/connection/list", body=[None, *({"userId": user, "status": "ACCEPTED"} for user in (7, 8))])
    )
    query = (("platform", "acme"), ("status", "connected"))
    first = await listed(gateway, *query, ("limit", 2))
    assert (names(first), first["errors"]) == (["acme/7", "acme/8"], [])
    last = await listed(gateway, *query, ("limit", 2), ("cursor", first["next_cursor"]))
    assert (names(last), slugs(last), last["next_cursor"]) == ([], {"acme": "platform-invalid-answer"}, None)
