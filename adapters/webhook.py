"""Webhooks: events that a platform sends to the gateway when something changes there."""

from __future__ import annotations

from typing import ClassVar, Protocol

import msgspec

from adapters.secret import RedactedRepr


class InvalidSignature(Exception):
    """The request is not signed with one of our secrets."""


class MalformedEvent(Exception):
    """The platform has signed it, but it is no event as the contract describes them."""


class Event(RedactedRepr, msgspec.Struct, frozen=True):
    """`user_ids`: the two users whose connection changed; empty where the event is about something else."""

    event_id: int
    sent_at: int
    """in seconds since 1970"""
    user_ids: tuple[int | str, ...]


class Webhook(Protocol):
    """Reads the requests that one platform sends."""

    SIGNATURE_HEADER: ClassVar[str]

    def read(self, signature: str, body: bytes) -> Event:
        """Verify the signature over the raw body, then parse it. Raises InvalidSignature or MalformedEvent.

        Takes the same time wherever a signature differs. How old the event is, and whether it came before, is for
        the caller to check.
        """
        ...
