"""Tries the store once, for the command `check`."""

from __future__ import annotations

from typing import Final

from redis.exceptions import AuthenticationError, NoPermissionError, OutOfMemoryError, ReadOnlyError, RedisError
from redis.exceptions import ConnectionError as NotConnected

from gateway.config.shared_settings import SharedSettings
from gateway.shared.client import FAILURES, OLDEST, Client, TooOld
from gateway.shared.store import try_store

REASONS: Final[dict[type[Exception], str]] = {
    AuthenticationError: "it refuses the user or the password",
    NoPermissionError: "its user may not do what is needed",
    ReadOnlyError: "it takes no writes: is it a replica?",
    OutOfMemoryError: "it is full, and evicts nothing",
    TooOld: f"it is too old: expected Valkey, or Redis {OLDEST}",
    TimeoutError: "no answer in time",
    NotConnected: "no connection",
    RedisError: "what answers there is no Valkey",
    OSError: "no connection",
}
"""What is wrong. The first row that a failure is an instance of counts."""


async def try_once(settings: SharedSettings) -> str | None:
    """Why the store can't be used; None where it can."""
    client = Client(settings)
    try:
        await try_store(client, settings)
    except FAILURES as failure:
        return next(reason for kind, reason in REASONS.items() if isinstance(failure, kind))
    finally:
        await client.close()
    return None
