"""The messages of replicas to each other, as they travel on the stream: encrypted, and of one form."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from adapters.secret import RedactedRepr
from gateway.shared.sealing import Sealer


class MessageKind(IntEnum):
    """What a message tells."""

    EVICT = 0
    """an action may have changed what this viewer is told of this user"""
    REFUSED = 1
    """a platform refused the viewer (no `user_id`), or this user to this viewer"""
    THROTTLED = 2
    """the platform is not to be called for so many `seconds`, in the scope that `viewer` says"""
    LOGGED_IN = 3
    """there is a new token of this viewer"""
    MISSED = 4
    """messages of this replica were lost: everything may have changed"""
    HINT = 5
    """the platform says that something about this user has changed, whoever the viewer is"""


class Message(RedactedRepr, msgspec.Struct, frozen=True, array_like=True):
    """Of one replica to all. `platform` is a digest of where it is; ages and ends travel as durations."""

    origin: bytes
    kind: MessageKind
    platform: bytes = b""
    viewer: bytes = b""
    """the viewer's key"""
    user_id: int | str | None = None
    """the key of the user, as the platform's adapter makes it"""
    seconds: float = 0.0


_DECODER: Final = msgspec.msgpack.Decoder(Message)


def encode(message: Message, sealer: Sealer, stream: str) -> bytes:
    return sealer.seal(stream, msgspec.msgpack.encode(message))


def decode(sealed: object, sealer: Sealer, stream: str) -> Message | None:
    """The message. None where it can't be read, whatever the reason."""
    data = sealer.open(stream, sealed)
    try:
        return None if data is None else _DECODER.decode(data)
    except msgspec.MsgspecError:
        return None
