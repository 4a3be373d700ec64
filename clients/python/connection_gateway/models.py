"""What the gateway answers. Fields that a newer gateway adds are ignored."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

Action = Literal["request", "accept", "reject", "cancel", "remove"]


class Status(StrEnum):
    """Where the viewer stands with the user."""

    CONNECTED = "connected"
    PENDING_INCOMING = "pending_incoming"
    PENDING_OUTGOING = "pending_outgoing"
    REJECTED = "rejected"
    NONE = "none"


class Connection(msgspec.Struct, frozen=True):
    """One viewer's connection with one user. Times are RFC 3339 in UTC."""

    platform: str
    user_id: str
    status: Status
    native_status: str | None
    actions: tuple[str, ...]
    first_requested_at: str | None
    updated_at: str | None
    request_count: int | None
    as_of: str
    stale: bool


class Platform(msgspec.Struct, frozen=True):
    """A configured platform: what it offers, and how it is."""

    name: str
    adapter: str
    credentials: str
    actions: tuple[str, ...]
    health: str
