"""Logins over all replicas: one at a time for each viewer, whose token all of them use.

Before a login the store is asked for a token. Where it has none, or the one that the platform has just refused, the
replica that gets the lease logs in, and the others wait until it has, or until the lease has run out. Without the
store each logs in by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

from adapters.contract import Viewer
from adapters.loop import OneLoop
from adapters.secret import Secret
from adapters.token_store import Spendable, StoredToken
from gateway.shared.metrics import SharedMetrics
from gateway.shared.refresh_tokens import SharedRefreshToken
from gateway.shared.sealing import Sealer
from gateway.shared.store import Store, StoreDown

LIFETIME: Final = 3600
"""Seconds that a token is kept there. If the platform does not take it any more, the first who uses it logs in."""
POLL: Final = 0.25
"""Seconds after which a replica that waits looks again, if it hears of no login."""
SHARE_OF_TIMEOUT: Final = 0.5
"""Of `request_timeout`: how long a lease lasts. The rest is for the login of whoever waited for it."""
RELEASE: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"

LogIn = Callable[[Viewer], Awaitable[Secret]]


class LoginWaits(OneLoop):
    """Who waits for the login of another replica, by the name of the token."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}

    async def wait(self, name: str, seconds: float) -> None:
        done = self._loop.create_future()
        self._waiting.setdefault(name, []).append(done)
        try:
            async with asyncio.timeout(seconds):
                await done
        except TimeoutError:
            pass
        finally:
            waiting = self._waiting.get(name, [])
            if done in waiting:
                waiting.remove(done)
                if not waiting:
                    del self._waiting[name]

    def wake(self, name: str) -> None:
        for done in self._waiting.pop(name, ()):
            if not done.done():
                done.set_result(None)


class SharedTokens(OneLoop):
    """The tokens of one platform under one credential: `names` gives those of a viewer's token and lease."""

    def __init__(
        self,
        store: Store,
        sealers: tuple[Sealer, ...],
        parts: tuple[bytes, ...],
        *,
        waits: LoginWaits,
        request_timeout: float,
        metrics: SharedMetrics,
        logged_in: Callable[[Viewer], None],
        refresh_token: SharedRefreshToken,
    ) -> None:
        """`sealers` have the keys, the one in force first. `logged_in` tells the other replicas."""
        self._store = store
        self._sealers = sealers
        self._parts = parts
        self._waits = waits
        self._lease = SHARE_OF_TIMEOUT * request_timeout
        self._metrics = metrics
        self._logged_in = logged_in
        self.refresh_token = refresh_token

    async def token(self, viewer: Viewer, refused: Secret | None, log_in: LogIn) -> StoredToken:
        lease = secrets.token_hex(16)
        try:
            stored = await self._stored_or_leased(viewer, refused, lease)
        except StoreDown:
            return StoredToken(await log_in(viewer), is_new=True)
        if stored is not None:
            self._metrics.hits.inc()
            return StoredToken(stored, is_new=False)
        self._metrics.misses.inc()
        try:
            token = await log_in(viewer)
            name = self.name(viewer)
            sealed = self._sealers[0].seal(name, token.reveal().encode())
            self._store.post("SET", name, sealed, "EX", LIFETIME)
        finally:
            self._store.post("EVAL", RELEASE, 1, self._name_of_lease(viewer), lease)
        self._logged_in(viewer)
        return StoredToken(token, is_new=True)

    def spending(self, token: Spendable) -> AbstractAsyncContextManager[None]:
        return self.refresh_token.spending(token)

    def name(self, viewer: Viewer) -> str:
        return self._sealers[0].name("token", *self._parts, viewer.key)

    async def _stored_or_leased(self, viewer: Viewer, refused: Secret | None, lease: str) -> Secret | None:
        """A token that another replica got. None where this one is to log in, under a lease unless one ran out."""
        until = self._loop.time() + self._lease
        milliseconds = max(int(self._lease * 1000), 1)
        while True:
            taken = self._store.run("SET", self._name_of_lease(viewer), lease, "NX", "PX", milliseconds)
            stored, is_leased = await asyncio.gather(self._read(viewer), taken)
            if stored is not None and stored != refused:
                if is_leased:
                    self._store.post("EVAL", RELEASE, 1, self._name_of_lease(viewer), lease)
                return stored
            if is_leased or self._loop.time() >= until:
                return None
            self._metrics.lease_waits.inc()
            await self._waits.wait(self.name(viewer), POLL)

    async def _read(self, viewer: Viewer) -> Secret | None:
        names = [sealer.name("token", *self._parts, viewer.key) for sealer in self._sealers]
        found = await self._store.run("MGET", *names)
        for sealer, name, sealed in zip(self._sealers, names, found, strict=True):
            text = sealer.open(name, sealed)
            if text is not None:
                with contextlib.suppress(ValueError):
                    return Secret(text.decode())
        return None

    def _name_of_lease(self, viewer: Viewer) -> str:
        return self._sealers[0].name("lease", *self._parts, viewer.key)
