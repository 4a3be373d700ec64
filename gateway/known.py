"""A connection as callers get it: encoded once, for everybody who asked and for whoever asks later."""

from __future__ import annotations

from typing import Final

import msgspec

from adapters.contract import Connection
from adapters.secret import Quiet

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Connection)
_NOT_STALE: Final = b'"stale":false}'
_STALE: Final = b'"stale":true}'


class Known(Quiet, msgspec.Struct, frozen=True, gc=False):
    """`at` is the `loop.time()` when the platform said so."""

    body: bytes
    at: float

    @classmethod
    def of(cls, connection: Connection, at: float) -> Known:
        return cls(_ENCODER.encode(connection), at)

    def stale_body(self) -> bytes:
        """The same, marked as what could not be asked again. `stale` is the last field of a Connection."""
        return self.body.removesuffix(_NOT_STALE) + _STALE

    def connection(self) -> Connection:
        return _DECODER.decode(self.body)
