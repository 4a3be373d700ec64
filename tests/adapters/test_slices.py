"""A long answer is decoded in slices that say the same as the whole."""

from __future__ import annotations

import asyncio
import json
import random
import string
from typing import Any

import msgspec
import pytest

from adapters.slices import EntryTooLong, in_turns, slices

decode = msgspec.json.decode


def drawn(lot: random.Random, depth: int = 0) -> Any:
    """A value with all that could be taken for the end of an entry."""
    match lot.randrange(6 if depth < 3 else 3):
        case 0:
            return "".join(lot.choices('"\\{}[],: \n' + string.ascii_letters + "é", k=lot.randrange(12)))
        case 1:
            return lot.choice([None, True, 0, -1.5, 10**12])
        case 2:
            return "},{"
        case 3:
            return [drawn(lot, depth + 1) for _ in range(lot.randrange(4))]
        case _:
            return {str(key): drawn(lot, depth + 1) for key in range(lot.randrange(4))}


@pytest.mark.parametrize("seed", range(200))
def test_all_slices_together_have_the_entries_of_the_whole(seed: int) -> None:
    lot = random.Random(seed)  # noqa: S311  an array that can be drawn again
    entries = [drawn(lot, 1) if lot.random() < 0.2 else {"a": drawn(lot), "b": drawn(lot)} for _ in range(40)]
    space = lot.choice(["", " ", " \r\n\t"])
    array = (
        space + json.dumps(entries, indent=lot.choice([None, 1]), separators=(f"{space},{space}", ":")) + space
    ).encode()
    parts = list(slices(array, size=lot.choice([1, 10, 100]), longest_entry=10_000))
    assert [entry for part in parts for entry in decode(part)] == entries


def test_a_short_array_is_one_slice_and_a_long_one_is_many() -> None:
    array = json.dumps([{"a": 1}] * 1000).encode()
    assert list(slices(array)) == [array]
    parts = list(slices(array, size=100))
    assert len(parts) > 50
    assert max(map(len, parts)) < 200


@pytest.mark.parametrize("seed", range(100))
def test_what_is_no_json_has_a_slice_that_is_none(seed: int) -> None:
    """However it is cut."""
    lot = random.Random(seed)  # noqa: S311
    array = bytearray(json.dumps([{"a": drawn(lot)} for _ in range(30)]).encode())
    at = lot.randrange(len(array))
    array[at : at + lot.randrange(2)] = lot.choice([b"", b"}", b"]", b"{", b"[", b'"', b",", b"\\", b"},{", b"],["])
    try:
        whole = decode(bytes(array))
    except msgspec.DecodeError:
        with pytest.raises(msgspec.DecodeError):
            joined(bytes(array))
    else:
        if isinstance(whole, list):
            assert joined(bytes(array)) == whole


def joined(array: bytes) -> list[Any]:
    return [entry for part in slices(array, size=20) for entry in decode(part)]


@pytest.mark.parametrize(
    "array",
    [
        b"[{}" + b" " * 10_000_000 + b",{}]",
        b'[{"a":"' + b"a" * 10_000_000 + b'"},{}]',
        b'[{"a":"' + b'\\"' * 5_000_000 + b'"},{}]',
        b'[{"a":"' + b'\\"' * 5_000_000,
        b'[{"a":[' + b"{}," * 3_000_000 + b"{}]},{}]",
        b"[" * 10_000_000,
        b'[{"a":' * 2_000_000,
        b"[" + b'"",' * 3_000_000 + b"{}]",
    ],
    ids=lambda array: str(array[:12]),
)
def test_an_entry_that_is_too_long_is_not_searched_to_its_end(array: bytes) -> None:
    with pytest.raises(EntryTooLong):
        list(slices(array))


@pytest.mark.parametrize("array", [b"", b"{}", b"null", b"[]", b"[{}]x", b"]", b'{"a":{},"b":{}}'])
def test_what_is_no_array_or_has_nothing_to_cut_stays_whole(array: bytes) -> None:
    assert list(slices(array, size=1)) == [array]


async def test_between_turns_others_have_theirs() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        for turns in range(1, 10):  # noqa: B007  counted for the test
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    assert [(some, turns) async for some in in_turns("abcdef", 2)] == [
        (["a", "b"], 0),
        (["c", "d"], 1),
        (["e", "f"], 2),
    ]
    await task


async def test_what_is_one_turn_is_not_interrupted() -> None:
    waiting = asyncio.ensure_future(asyncio.sleep(0))
    assert [some async for some in in_turns(range(3))] == [[0, 1, 2]]
    assert [some async for some in in_turns("")] == []
    assert not waiting.done()
    await waiting
