"""A list that is as large as may be says the same as a short one, and holds up nobody else."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Iterable
from typing import TypeVar

import httpx
import msgspec
import pytest

from adapters import connect
from adapters.contract import Adapter, Connection, InvalidAnswer, Page, Position, Status, Viewer
from adapters.secret import Token
from adapters.slices import SLICE
from adapters.symphony.decoding import MOST_INVALID, PARTS
from gateway.config.converter import from_tables
from gateway.transports.encodings import PART
from tests.gateways import CALLERS, tables
from tests.wire import Bounded

T = TypeVar("T")
VIEWER = Viewer("acme", b"1", Token("text"))
LISTABLE = set(Status) - {Status.NONE}
USERS = range(10**12, 10**12 + 50_000)
GOOD = b'{"userId":%d,"status":"ACCEPTED"}'
BAD = b'{"userId":%d,"status":"NOBODY_KNOWS"}'


def asked(name: str, body: bytes, *, compressed: bool = False) -> Adapter:
    """A platform that answers everything with this."""

    def answer(_request: httpx.Request) -> httpx.Response:
        headers = {"Content-Encoding": "gzip"} if compressed else {}
        content = gzip.compress(body) if compressed else body
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(content))

    settings = from_tables(tables(CALLERS)).platforms[name]
    return connect(name, settings, Bounded(httpx.MockTransport(answer)), timeout=60.0)


def array(entries: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(entries) + b"]"


async def page(adapter: Adapter, after: int = 0, limit: int = 100) -> Page:
    return await adapter.list(VIEWER, LISTABLE, Position(0, after) if after else None, limit)


def found(listed: Page) -> list[tuple[int | None, str]]:
    """Each user, with the status or what is wrong."""
    return [
        (entry.user_id, entry.found.status if isinstance(entry.found, Connection) else entry.found.detail)
        for entry in listed.entries
    ]


async def turns_of_others(work: Awaitable[T]) -> tuple[T, int]:
    """What came of it, and how often the loop turned meanwhile."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    try:
        return await work, turns
    finally:
        task.cancel()


async def test_a_long_list_is_sorted_and_cut_into_pages_as_a_short_one() -> None:
    pod = asked("acme", array(GOOD % user for user in reversed(USERS)))
    first = await page(pod)
    assert found(first) == [(user, "connected") for user in USERS[:100]]
    assert (first.next, first.remaining) == (Position(0, USERS[99]), len(USERS) - 100)
    last = await page(pod, after=USERS[-3])
    assert (found(last), last.next) == ([(user, "connected") for user in USERS[-2:]], None)


@pytest.mark.parametrize("entry", [GOOD, GOOD[:-1] + b',"more":[{"a":"},{"},{}]}'], ids=["plain", "nested"])
async def test_others_have_their_turn_after_every_slice(entry: bytes) -> None:
    body = array(entry % user for user in USERS)
    _, turns = await turns_of_others(page(asked("acme", body)))
    assert turns >= PARTS + 0.9 * len(body) / SLICE


async def test_others_have_their_turn_while_two_lists_are_read() -> None:
    body = array(GOOD % user for user in USERS)
    pod = asked("acme", body)
    _, turns = await turns_of_others(asyncio.gather(page(pod), page(pod)))
    assert turns >= PARTS + 2 * 0.9 * len(body) / SLICE


async def test_others_have_their_turn_while_a_list_is_decompressed() -> None:
    body = array([GOOD % 1]).ljust(16 * PART)
    listed, turns = await turns_of_others(page(asked("acme", body, compressed=True)))
    assert found(listed) == [(1, "connected")]
    assert turns >= PARTS + len(body) / PART


async def test_a_batch_of_lookups_is_read_at_once() -> None:
    pod = asked("acme", array(GOOD % user for user in USERS[: asked("acme", b"[]").batch_size]))
    _, turns = await turns_of_others(pod.read(VIEWER, USERS[:300]))
    assert turns <= 10


async def test_an_entry_that_makes_no_sense_is_its_users_alone_wherever_it_stands() -> None:
    pod = asked("acme", array((GOOD if number % 1000 else BAD) % user for number, user in enumerate(USERS)))
    wrong = [user for user, said in found(await page(pod, limit=len(USERS))) if said != "connected"]
    assert wrong == list(USERS[::1000])


async def test_two_entries_that_contradict_each_other_may_be_far_apart() -> None:
    body = array([GOOD % 1, *(GOOD % user for user in USERS), b'{"userId":1,"status":"REJECTED"}', GOOD % USERS[0]])
    first, second = found(await page(asked("acme", body), limit=2))
    assert first == (1, "two entries about this user contradict each other")
    assert second == (USERS[0], "connected")


@pytest.mark.parametrize(
    "body", [array(BAD % user for user in USERS), array([GOOD % 1, b'{"userId":1,"status":"REJECTED"}'] * 40_000)]
)
async def test_too_many_of_them_are_nobodys_any_more(body: bytes) -> None:
    async def refused() -> None:
        with pytest.raises(InvalidAnswer, match=f"more than {MOST_INVALID} entries"):
            await page(asked("acme", body))

    _, turns = await turns_of_others(refused())
    assert turns >= PARTS


@pytest.mark.parametrize(
    "body",
    [
        array(GOOD % user for user in USERS)[:-1],
        array(GOOD % user for user in USERS) + b"]",
        array(GOOD % user for user in USERS).replace(b"},{", b"}{", 1),
        array([GOOD % 1, b'{"userId":2,"status":"ACCEPTED","more":[' + b"{}," * 1_000_000 + b"{}]}", GOOD % 3]),
        b"[" * 1_000_000,
        b'{"more":' + array(GOOD % user for user in USERS) + b"}",
    ],
    ids=["cut off", "goes on", "a comma is missing", "a long entry", "deep", "no list"],
)
async def test_what_is_no_list_is_an_invalid_answer(body: bytes) -> None:
    with pytest.raises(InvalidAnswer):
        await page(asked("acme", body))


async def test_an_entry_that_names_no_user_spoils_no_other() -> None:
    whole = await page(asked("acme", array([*(GOOD % user for user in USERS), b'{"status":"ACCEPTED"}'])))
    assert found(whole)[0] == (USERS[0], Status.CONNECTED)
    assert whole.remaining > 0


def community_page(entry: bytes) -> bytes:
    return b'{"count":100,"next":null,"results":' + array(entry % user for user in USERS[:20_000]) + b"}"


async def test_a_community_that_gives_more_than_it_was_asked_for_holds_up_nobody() -> None:
    club = asked("club", community_page(b'{"from_user":{"id":%d},"rejected":null}'))
    listed, turns = await turns_of_others(club.list(VIEWER, {Status.PENDING_INCOMING}, None, 100))
    assert found(listed) == [(user, "pending_incoming") for user in USERS[:100]]
    assert turns >= 20


async def test_too_many_of_its_entries_that_make_no_sense_are_an_invalid_page() -> None:
    club = asked("club", community_page(b'{"from_user":{"id":%d},"rejected":1}'))
    with pytest.raises(InvalidAnswer, match="more than 1000 entries"):
        await club.list(VIEWER, {Status.PENDING_INCOMING}, None, 100)


async def test_words_about_users_that_nobody_asked_for_are_not_read() -> None:
    words = {str(user): "nobody knows" for user in USERS[:20_000]} | {"1": "connected", "2": "nobody knows"}
    club = asked("club", msgspec.json.encode({"connection_statuses": words}))
    one, two = (await club.read(VIEWER, (1, 2))).values()
    assert isinstance(one, Connection)
    assert isinstance(two, InvalidAnswer)
