"""What a token allows: never more than its caller's entry, and without a claim as little as an entry that says little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.callers.asking import ACCEPT, ask, slug
from tests.callers.tokens import page, token
from tests.gateways import CALLERS, NAMED, OWN, running


@pytest.mark.parametrize(
    ("entry", "told", "reads", "acts"),
    [
        (["read", "act"], ["read", "act"], True, True),
        (["read", "act"], ["read"], True, False),
        (["read", "act"], ["act"], False, True),
        (["read", "act"], [], False, False),
        (["read", "act"], ..., True, False),
        (["read"], ["read", "act"], True, False),
        (["read"], ["act"], False, False),
        (["act"], ..., False, False),
    ],
)
async def test_rights(tmp_path: Path, entry: list[str], told: Any, reads: bool, acts: bool) -> None:
    async with running(OWN, [page(tmp_path, may=entry)]) as gateway:
        sent = token(may=told)
        answers = [await ask(gateway, sent), await ask(gateway, sent, ACCEPT)]
        assert [slug(each) for each in answers] == ["" if may else "not-allowed" for may in (reads, acts)]


@pytest.mark.parametrize(
    ("entry", "told", "usable"),
    [
        (None, ..., ["acme", "club"]),
        (None, ["club"], ["club"]),
        (None, [], []),
        (None, ["elsewhere"], []),
        (["acme"], ["acme", "club"], ["acme"]),
        (["acme"], ["club"], []),
        (["acme"], ..., ["acme"]),
    ],
)
async def test_platforms(tmp_path: Path, entry: list[str] | None, told: Any, usable: list[str]) -> None:
    policy = {} if entry is None else {"platforms": entry}
    async with running(OWN, [page(tmp_path, **policy)]) as gateway:
        sent = token(platforms=told)
        seen = (await ask(gateway, sent, "/v1/platforms")).json()["platforms"]
        assert [each["name"] for each in seen] == usable
        for name in ("acme", "club"):
            answer = await ask(gateway, sent, f"/v1/connections/{name}/101")
            assert slug(answer) == ("" if name in usable else "not-allowed")


@pytest.mark.parametrize(
    ("entry", "told", "viewer", "may"),
    [
        (["*"], ["acme=102"], "102", True),
        (["*"], ["102"], "102", True),
        (["*"], ["acme=102"], "103", False),
        (["*"], ["club=102"], "102", False),
        (["*"], ["*"], "103", True),
        (["*"], [], "102", False),
        (["*"], ..., "102", False),
        (["acme=102"], ["*"], "102", True),
        (["acme=102"], ["*"], "103", False),
        (["acme=102"], ["acme=103"], "102", False),
        (["acme=102"], ["acme=103"], "103", False),
        (["club=*"], ["acme=*"], "102", False),
        ([], ["*"], "102", False),
    ],
)
async def test_for_whom_it_speaks(tmp_path: Path, entry: list[str], told: Any, viewer: str, may: bool) -> None:
    async with running(NAMED, [page(tmp_path, on_behalf_of=entry)]) as gateway:
        answer = await ask(gateway, token(on_behalf_of=told), "/v1/connections/acme/1", X_On_Behalf_Of=viewer)
        assert slug(answer) == ("" if may else "not-allowed")


async def test_two_tokens_of_one_caller_are_two_permissions(tmp_path: Path) -> None:
    """What is remembered of one token's headers is never used for another's."""
    async with running(NAMED, [page(tmp_path, on_behalf_of=["*"])]) as gateway:
        tokens = {viewer: token(on_behalf_of=[viewer]) for viewer in ("102", "103")}
        for _ in range(2):
            for own, sent in tokens.items():
                for viewer in tokens:
                    answer = await ask(gateway, sent, "/v1/connections/acme/1", X_On_Behalf_Of=viewer)
                    assert slug(answer) == ("" if viewer == own else "not-allowed")


async def test_the_token_goes_to_no_platform(tmp_path: Path) -> None:
    async with running(CALLERS, [page(tmp_path)]) as gateway:
        answer = await ask(gateway, token())
        assert slug(answer) == "missing-credential"
        assert gateway.calls == 0
