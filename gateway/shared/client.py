"""The client of the store: one connection of redis-py's. Nothing else imports redis.

It neither retries nor reconnects: `Store` and `Stream` do, and put a limit on every wait.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from gateway.config.shared_settings import SharedSettings

OLDEST: Final = 7
"""The version of Redis, or with which Valkey says it is compatible, that has all that is used here."""
CLOSE_WITHIN: Final = 1.0
"""Seconds for the end of a connection, which nobody waits for."""
FAILURES: Final = (RedisError, OSError, TimeoutError)
"""What the network and the server can raise."""
Command = tuple[str | bytes | int, ...]


class TooOld(RedisError):
    """The server lacks what is used here."""


class Client:
    """One connection. Raises FAILURES; after any of them it is to be closed."""

    def __init__(self, settings: SharedSettings) -> None:
        url = settings.url
        password = None if settings.password is None else settings.password.reveal()
        ca = None if settings.ca_file is None else settings.ca_file.content.text
        self._redis = Redis(
            host=url.host,
            port=url.port,
            unix_socket_path=url.socket,
            db=url.database,
            username=url.username,
            password=password,
            ssl=url.tls,
            ssl_ca_data=ca,
            socket_timeout=None,
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),
            max_connections=1,
            driver_info=None,
            protocol=2,
        )

    async def connect(self) -> None:
        """Connect, and see that the server is one that can be used."""
        info = await self._redis.info("server")
        version = str(info.get("redis_version", "0"))
        if int(version.partition(".")[0] or 0) < OLDEST:
            raise TooOld(f"expected Redis {OLDEST} or Valkey")

    async def run(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Any]:
        """Send these in one go. A command that the server refuses has its ResponseError as its result."""
        pipeline = self._redis.pipeline(transaction=atomic)
        for command in commands:
            pipeline.execute_command(*command)
        results: list[Any] = await pipeline.execute(raise_on_error=False)
        return results

    async def close(self) -> None:
        """Close the connection, whatever state it is in, also where whoever closes it is cancelled."""
        closing = asyncio.create_task(self._disconnect())
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await closing
            raise

    async def _disconnect(self) -> None:
        with contextlib.suppress(*FAILURES):
            async with asyncio.timeout(CLOSE_WITHIN):
                await self._redis.connection_pool.disconnect(inuse_connections=True)


def is_refused(result: object) -> bool:
    """Whether a command's result is that the server refused it."""
    return isinstance(result, (ResponseError, AuthenticationError))
