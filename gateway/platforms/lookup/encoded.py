"""A connection as JSON, encoded once for all callers."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import msgspec

from adapters.contract import Connection
from adapters.secret import RedactedRepr

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Connection)
_NOT_STALE: Final = b'"stale":false}'
_STALE: Final = b'"stale":true}'
_TAIL: Final = len(',"as_of":"2026-11-21T21:41:00.123Z",') + len(_NOT_STALE)
"""Bytes of the last two fields: a time always has three decimals."""


def weak_etag(content: bytes) -> bytes:
    """The weak entity tag of this content, the same in every process."""
    return b'W/"%b"' % blake2b(content, digest_size=12).hexdigest().encode()


def differ_in_time_only(one: bytes, other: bytes) -> bool:
    """Whether two connections in JSON, neither of them stale, are equal but for `as_of`."""
    return one[:-_TAIL] == other[:-_TAIL] and one.endswith(_NOT_STALE) and other.endswith(_NOT_STALE)


class CachedConnection(RedactedRepr, msgspec.Struct, frozen=True, gc=False):
    """`at` is the `loop.time()` when the platform said so."""

    body: bytes
    at: float
    _etag: bytes = b""

    @classmethod
    def of(cls, connection: Connection, at: float) -> CachedConnection:
        return cls(_ENCODER.encode(connection), at)

    def stale_body(self) -> bytes:
        """The same, marked as what could not be asked again. `stale` is the last field of a Connection."""
        return self.body.removesuffix(_NOT_STALE) + _STALE

    def etag(self, body: bytes) -> bytes:
        """The entity tag of `body`, which is this connection's own or its stale one: over all of it but `as_of`."""
        if body is not self.body:
            return weak_etag(self.body[:-_TAIL] + _STALE)
        if not self._etag:
            msgspec.structs.force_setattr(self, "_etag", weak_etag(body[:-_TAIL]))
        return self._etag

    def connection(self) -> Connection:
        return _DECODER.decode(self.body)


class SharedConnection(CachedConnection, frozen=True, gc=False):
    """One that another replica has read, or this one before its last start."""
