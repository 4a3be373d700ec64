"""Long answers in slices: decoding one as a whole would keep the event loop from everybody else."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

SLICE: Final = 16 * 1024
"""Bytes of JSON that are decoded at once, which takes about a millisecond."""
LONGEST_ENTRY: Final = 64 * 1024
"""Bytes of one entry of a longer array."""
AT_ONCE: Final = 2_000
"""Objects that are looked at before it is somebody else's turn."""
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["\[\]{}]', re.DOTALL)
"""What nesting is told by. A quotation mark alone begins a string that does not end within the searched part."""
_BETWEEN_ENTRIES: Final = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*(?=\{)")


class EntryTooLong(Exception):
    """An entry has more than LONGEST_ENTRY bytes."""


def slices(array: bytes, size: int = SLICE, longest_entry: int = LONGEST_ENTRY) -> Iterator[bytes]:
    """Arrays that together have the entries of `array`, each of about `size` bytes of JSON.

    An array that is no valid JSON has a slice that is none. Raises EntryTooLong.
    """
    array = array.strip()
    start = 0
    opening = b""
    while len(array) - start > size:
        end = _end_of_entry(array, start, size, longest_entry)
        if end is None:
            break
        following = _BETWEEN_ENTRIES.match(array, end, end + longest_entry)
        if following is None:
            break
        yield opening + array[start:end] + b"]"
        start, opening = following.end(), b"["
    yield opening + array[start:]


def _end_of_entry(array: bytes, start: int, size: int, longest_entry: int) -> int | None:
    """Behind the first entry that ends `size` bytes after `start` or later; None where no other follows."""
    depth = 0 if start else -1
    limit = start + size + longest_entry
    for token in _TOKEN.finditer(array, start, limit):
        match token[0]:
            case b"{" | b"[":
                depth += 1
            case b"}" | b"]":
                depth -= 1
                if depth < 0:
                    return None
                if depth == 0 and token.end() - start >= size:
                    return token.end()
            case b'"':
                break
            case _:
                pass
    if len(array) > limit:
        raise EntryTooLong
    return None


async def in_turns(items: Iterable[T], size: int = AT_ONCE) -> AsyncIterator[list[T]]:
    """`items`, at most `size` at a time; between them it is everybody else's turn."""
    iterator = iter(items)
    some = list(itertools.islice(iterator, size))
    while some:
        yield some
        some = list(itertools.islice(iterator, size))
        if some:
            await asyncio.sleep(0)
