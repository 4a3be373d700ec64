"""Answers whose text is not quite text, or not quite JSON, in places that nobody reads."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from adapters.contract import Connection, InvalidAnswer, Status, UserNotFound, Viewer
from adapters.secret import Token
from adapters.simulation.faults import Fault
from tests import wire
from tests.contract.dialects import BATCHING, DIALECTS, Platform
from tests.wire import pool

UNREAD: Final = {
    "half of a surrogate pair": r'"\ud800"',
    "the other half": r'"\udc00 and more"',
    "a pair the wrong way round": r'"\udc00\ud800"',
    "half of a pair and another character": r'"\ud800A"',
    "half of a pair in a name": r'{"\ud800": 1}',
    "half of a pair, deep": r'[[{"a": ["\ud83d"]}]]',
    "NaN": "NaN",
    "infinity": "[Infinity, -Infinity]",
    "a number beyond any float": "1e999",
    "a number of 5,000 digits": "9" * 5000,
    "the same name twice": '{"a": 1, "a": "x"}',
    "a control character": '"\x00 \x01 \n"',
}
"""JSON, or what servers send as such, for a field that no adapter reads."""
unread = pytest.mark.parametrize("value", UNREAD.values(), ids=UNREAD)


def with_unread(document: Any, value: str) -> str:
    """The document as JSON, with an unread field that holds `value` in each of its objects, first and last."""
    text = json.dumps(document)
    return text.replace("{", f'{{"new": {value}, ').replace("}", f', "newer": {value}}}').replace(", ,", ",")


@unread
async def test_what_is_not_read_is_not_checked(platform: Platform, value: str) -> None:
    body = with_unread(json.loads(platform.dialect.good), value)
    platform.simulator.misbehave(Fault(path=str(platform.user), body=body))
    assert (await platform.read()).status is Status.CONNECTED


@unread
async def test_what_is_not_read_in_a_list_is_not_checked(platform: Platform, value: str) -> None:
    dialect = platform.dialect
    body = with_unread(dialect.listed([*map(dialect.incoming, platform.ids(101, 102, 103))]), value)
    platform.simulator.misbehave(Fault(path=dialect.list_path, body=body))
    page = await platform.adapter.list(platform.viewer, {Status.PENDING_INCOMING}, None, 10)
    assert [entry.user_id for entry in page.entries] == [*platform.ids(101, 102, 103)]
    assert all(isinstance(entry.found, Connection) for entry in page.entries)


@unread
async def test_what_is_not_read_in_an_error_is_not_checked(platform: Platform, value: str) -> None:
    body = with_unread(json.loads(platform.dialect.not_found), value)
    platform.simulator.misbehave(Fault(path=str(platform.user), status=404, body=body))
    if platform.dialect.says_who_exists:
        with pytest.raises(UserNotFound):
            await platform.read()
    else:
        assert (await platform.read()).status is Status.NONE


@unread
async def test_what_is_not_read_where_the_platform_says_who_we_are_is_not_checked(
    platform: Platform, value: str
) -> None:
    path, least = platform.dialect.who_am_i
    platform.simulator.misbehave(Fault(path=path, body=with_unread(json.loads(least), value)))
    identity = await platform.adapter.identify()
    assert identity is not None
    (me,) = platform.ids(1)
    assert (identity.user_id, identity.name) == (me, str(me))


async def test_bytes_that_are_not_utf_8_are_not_checked_where_they_are_not_read(platform: Platform) -> None:
    body = platform.dialect.good.replace("{", '{"name": "Zo\xeb", ', 1).encode("latin-1")
    async with wire.scripted(wire.sending(wire.answer(body))) as server, pool() as network:
        adapter = platform.over(network, server.url, mode="caller")
        found = await platform.read(platform.user, adapter, Viewer("acme", b"1", Token("demo")))
    assert found.status is Status.CONNECTED


async def test_a_byte_order_mark_is_not_part_of_the_answer(platform: Platform) -> None:
    platform.simulator.misbehave(Fault(path=str(platform.user), body="\ufeff" + platform.dialect.good))
    assert (await platform.read()).status is Status.CONNECTED


READ = [
    pytest.param(dialect, word, bad, id=f"{dialect.adapter}-{word}-{what}")
    for dialect in DIALECTS
    for word in dialect.words
    if word is not None and word in dialect.good
    for what, bad in {
        "half of a pair behind it": rf'"{word}\ud800"',
        "half of a pair for it": r'"\ud800"',
        "a control character behind it": f'"{word}\n"',
        "NaN": "NaN",
        "infinity": "Infinity",
    }.items()
]


@pytest.mark.parametrize(("dialect", "word", "bad"), READ, indirect=["dialect"])
async def test_what_is_read_is_checked(platform: Platform, word: str, bad: str) -> None:
    platform.simulator.misbehave(Fault(path=str(platform.user), body=platform.dialect.good.replace(f'"{word}"', bad)))
    with pytest.raises(InvalidAnswer):
        await platform.read()


@BATCHING
@pytest.mark.parametrize("odd", [r'"\ud800"', "NaN"])
async def test_a_word_that_makes_no_sense_is_its_users_alone(platform: Platform, odd: str) -> None:
    asked = first, second, third = platform.ids(101, 102, 103)
    connected = platform.word(Status.CONNECTED)
    body = platform.many({first: connected, second: "ODD", third: connected})
    platform.simulator.misbehave(Fault(path=platform.dialect.many_path, body=json.dumps(body).replace('"ODD"', odd)))
    found = await platform.adapter.read(platform.viewer, asked)
    assert [type(found[user]) for user in asked] == [Connection, InvalidAnswer, Connection]
