"""Where a list goes on, as a caller carries it from page to page.

A cursor is unsigned: it grants nothing, it names nobody who asks, and one that is made up finds nothing that the
same call without it would not find. It belongs to its filters, so that a page of another list is never taken for
the next one of this.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import Final, Literal

import msgspec

from adapters.contract import Position
from gateway.filters import Filters
from gateway.listing import Place


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: Literal[1]
    filters: bytes
    platform: str
    position: Position | None


_DECODER: Final = msgspec.msgpack.Decoder(_Cursor)


def encode(place: Place, filters: Filters) -> str:
    """Characters that need no escaping in a query."""
    cursor = msgspec.msgpack.encode(_Cursor(1, _digest(filters), place.platform, place.position))
    return base64.urlsafe_b64encode(cursor).rstrip(b"=").decode()


def decode(text: str, filters: Filters) -> Place:
    """Raises ValueError for what is no cursor, or one of other filters."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        cursor = _DECODER.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, msgspec.MsgspecError, UnicodeError) as error:
        raise ValueError("expected the next_cursor of an answer") from error
    place = Place(cursor.platform, cursor.position)
    if cursor.filters != _digest(filters) or cursor.platform not in filters.platforms:
        raise ValueError("expected the next_cursor of an answer to the same filters")
    if encode(place, filters) != text:
        raise ValueError("expected the next_cursor of an answer")
    return place


def _digest(filters: Filters) -> bytes:
    return blake2b(msgspec.msgpack.encode(filters, order="sorted"), digest_size=8).digest()
