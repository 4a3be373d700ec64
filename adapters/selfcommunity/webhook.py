"""A community's webhooks, as its public documentation describes them."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import ClassVar, Final

import msgspec

from adapters.secret import Secret
from adapters.selfcommunity.wire import UserId
from adapters.webhook import Event, InvalidSignature, MalformedEvent

SCHEMES: Final = ("v0", "v1")
"""The documentation contradicts itself on which of the two is live, so either may verify."""
MOST_PARTS: Final = 16
"""Parts of the header that are looked at."""
LENGTH: Final = 64
"""Of a signature, in hexadecimal digits."""
TYPES: Final = frozenset(
    {
        *(f"connection_request.{word}" for word in ("created", "rejected", "restored", "cancelled")),
        *(f"connection.{word}" for word in ("created", "deleted")),
    }
)


class _User(msgspec.Struct):
    id: UserId


class _Users(msgspec.Struct):
    from_user: _User
    to_user: _User


class _Body(msgspec.Struct):
    event_id: int
    type: str
    data: msgspec.Raw = msgspec.Raw()


_BODY: Final = msgspec.json.Decoder(_Body)
_USERS: Final = msgspec.json.Decoder(_Users)


class SelfCommunityWebhook:
    """`secrets` are the endpoint's: several while one takes the place of another."""

    SIGNATURE_HEADER: ClassVar[str] = "SelfCommunity-Signature"

    def __init__(self, secrets: Sequence[Secret]) -> None:
        self._secrets = [each.reveal().encode() for each in secrets]

    def read(self, signature: str, body: bytes) -> Event:
        parts = [part.partition("=")[::2] for part in signature.split(",", MOST_PARTS)]
        times = [value for name, value in parts if name == "t"]
        given = [value.encode("latin-1") for name, value in parts if name in SCHEMES and len(value) == LENGTH]
        if not given or len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12):
            raise InvalidSignature
        expected = [sign(secret, times[0], body).encode() for secret in self._secrets]
        matches = [hmac.compare_digest(one, other) for one in given for other in expected]
        if not any(matches):
            raise InvalidSignature
        try:
            event = _BODY.decode(body)
            if event.type not in TYPES:
                return Event(event.event_id, int(times[0]), ())
            users = _USERS.decode(event.data)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise MalformedEvent from error
        return Event(event.event_id, int(times[0]), (users.from_user.id, users.to_user.id))


def sign(secret: bytes, sent_at: str, body: bytes) -> str:
    """The signature in hexadecimal digits."""
    return hmac.digest(secret, sent_at.encode() + b"." + body, "sha256").hex()
