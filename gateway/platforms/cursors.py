"""Where a list goes on, as a caller carries it from page to page.

A cursor is unsigned: it grants nothing, it names nobody who asks, and one that is made up finds nothing that the
same call without it would not find. It belongs to its filters, so that a page of another list is never taken for
the next one of this.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated, Final, Literal

import msgspec

from adapters.contract import Position
from gateway.platforms.filters import Filters
from gateway.platforms.listing import Place


class _Place(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """`platform` is its index in the filters."""

    platform: Annotated[int, msgspec.Meta(ge=0)]
    position: Position | None


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: Literal[3]
    filters: bytes
    places: Annotated[tuple[_Place, ...], msgspec.Meta(min_length=1)]


_DECODER: Final = msgspec.msgpack.Decoder(_Cursor)


def encode(places: Sequence[Place], filters: Filters) -> str:
    """The platforms that have more, in the order of the filters, as characters that need no escaping in a query."""
    found = tuple(_Place(filters.platforms.index(each.platform), each.position) for each in places)
    cursor = msgspec.msgpack.encode(_Cursor(3, _digest(filters), found))
    return base64.urlsafe_b64encode(cursor).rstrip(b"=").decode()


def decode(text: str, filters: Filters) -> tuple[Place, ...]:
    """Raises ValueError for what is no cursor, or one of other filters."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        cursor = _DECODER.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, msgspec.MsgspecError, UnicodeError) as error:
        raise ValueError("expected the next_cursor of an answer") from error
    if cursor.filters != _digest(filters):
        raise ValueError("expected the next_cursor of an answer to the same filters")
    indexes = [place.platform for place in cursor.places]
    if indexes != sorted(set(indexes)) or indexes[-1] >= len(filters.platforms):
        raise ValueError("expected the next_cursor of an answer")
    places = tuple(Place(filters.platforms[place.platform], place.position) for place in cursor.places)
    if encode(places, filters) != text:
        raise ValueError("expected the next_cursor of an answer")
    return places


def _digest(filters: Filters) -> bytes:
    return blake2b(msgspec.msgpack.encode(filters, order="sorted"), digest_size=8).digest()
