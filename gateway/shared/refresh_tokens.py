"""A refresh token that all replicas share, though each use replaces it: whoever uses it twice loses the session.

It stands in the store with a version. A replica claims it, uses it up, and puts the new one in its place, which
succeeds only if the version is still the same. This fails closed: without the store nobody uses the token, because
the others would find the used one there afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from adapters.contract import OwnCredentialRefused
from adapters.loop import OneLoop
from adapters.token_store import Spendable
from gateway.shared.sealing import Sealer
from gateway.shared.store import Store, StoreDown

LIFETIME: Final = 90 * 86_400
"""Seconds after its last use when it is gone."""
HOLD: Final = 30
"""Seconds that a claim is respected whose holder does not come back: it may have used the token up."""
UNCONFIRMED: Final = 2
"""Seconds that a claim is respected before it is confirmed: its holder may never have had the answer."""
POLL: Final = 0.1
RETRY_AFTER: Final = 5.0
REMEMBERED: Final = 100
"""Earlier tokens that are recognized, so that a replica which still has one takes the new one."""
CLAIM: Final = """
local now = tonumber(redis.call('TIME')[1])
local version, token, claimed = unpack(redis.call('HMGET', KEYS[1], 'version', 'token', 'claimed'))
if claimed and now < tonumber(string.match(claimed, '^%d+')) then return {0, 0, ''} end
redis.call('HSET', KEYS[1], 'claimed', now + ARGV[2] .. ' ' .. ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return {1, tonumber(version or 0), token or ''}
"""
CONFIRM: Final = """
local claimed = redis.call('HGET', KEYS[1], 'claimed')
if not claimed or string.match(claimed, ' (.*)$') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'claimed', redis.call('TIME')[1] + ARGV[2] .. ' ' .. ARGV[1])
return 1
"""
RELEASE: Final = """
local claimed = redis.call('HGET', KEYS[1], 'claimed')
if claimed and string.match(claimed, ' (.*)$') == ARGV[1] then return redis.call('HDEL', KEYS[1], 'claimed') end
return 0
"""
PUBLISH: Final = """
if tonumber(redis.call('HGET', KEYS[1], 'version') or 0) ~= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1] + 1, 'token', ARGV[2])
redis.call('HDEL', KEYS[1], 'claimed')
return redis.call('EXPIRE', KEYS[1], ARGV[3])
"""


class _Chain(msgspec.Struct, frozen=True, array_like=True):
    """The token in force, and digests of those before it."""

    token: str
    earlier: tuple[bytes, ...] = ()


class SharedRefreshToken(OneLoop):
    """Of one platform under one credential."""

    def __init__(
        self, store: Store, sealers: tuple[Sealer, ...], parts: tuple[bytes, ...], *, platform: str, patience: float
    ) -> None:
        """`patience` is how many seconds a login waits for another replica that has claimed the token."""
        self._store = store
        self._sealers = sealers
        self._name, *self._previous = [sealer.name("refresh", *parts) for sealer in sealers]
        self._platform = platform
        self._patience = patience
        self._version: int | None = None
        """the last that was seen"""
        self.is_newest = False
        """whether this replica has put it there, and heard of no other since"""
        self._unpublished: tuple[int, bytes] | None = None

    @contextlib.asynccontextmanager
    async def spending(self, token: Spendable) -> AsyncIterator[None]:
        """As `TokenStore.spending`."""
        claim = secrets.token_hex(16)
        try:
            chain, version = await self._claim(token, claim)
        except StoreDown:
            raise self._refused("a refresh token that replicas share is not used without their store") from None
        before = token.reveal()
        try:
            yield
        finally:
            if token.reveal() == before:
                self._store.post("EVAL", RELEASE, 1, self._name, claim)
            else:
                earlier = (*chain.earlier, self._digest(before))[-REMEMBERED:]
                self._unpublished = version, self._sealed(_Chain(token.reveal(), earlier))
                await self.publish()

    async def publish(self) -> None:
        """Put the new token in the store, if that is still to be done. Where it can't be now, another call may."""
        if self._unpublished is None:
            return
        version, sealed = self._unpublished
        try:
            await self._store.run("EVAL", PUBLISH, 1, self._name, version, sealed, LIFETIME)
        except StoreDown:
            return
        self._unpublished, self._version, self.is_newest = None, version + 1, True

    async def _claim(self, token: Spendable, claim: str) -> tuple[_Chain, int]:
        """The chain, with its newest token in force, and its version; nobody else has claimed it."""
        until = self._loop.time() + self._patience
        while True:
            await self.publish()
            if self._unpublished is not None:
                raise StoreDown
            claimed, version, sealed = await self._claimed(self._name, claim)
            if claimed:
                break
            if self._loop.time() >= until:
                raise self._refused("another replica is using the refresh token")
            await asyncio.sleep(POLL)
        try:
            chain = self._opened(self._name, sealed) if version else await self._moved(claim)
        except OwnCredentialRefused:
            self._store.post("EVAL", RELEASE, 1, self._name, claim)
            raise
        known = {sealer.digest(*_digested(token.reveal()))[:16] for sealer in self._sealers}
        if chain.token != token.reveal() and not known.isdisjoint(chain.earlier):
            token.replace(chain.token)
        self._version, self.is_newest = version, self.is_newest and version == self._version
        return chain, version

    async def _claimed(self, name: str, claim: str) -> tuple[bool, int, object]:
        claimed, version, sealed = await self._store.run("EVAL", CLAIM, 1, name, claim, UNCONFIRMED, LIFETIME)
        is_confirmed = claimed and await self._store.run("EVAL", CONFIRM, 1, name, claim, HOLD)
        return bool(is_confirmed), int(version), sealed

    async def _moved(self, claim: str) -> _Chain:
        """The chain under the previous key, whose claim is never released: it is used here from now on.

        If there is none either, this replica begins one with its own token, unless another may have a newer one.
        """
        for name in self._previous:
            claimed, version, sealed = await self._claimed(name, claim)
            if not claimed:
                raise self._refused("another replica is using the refresh token")
            chain = self._opened(name, sealed) if version else None
            self._store.post("DEL", name)
            if chain is not None:
                return chain
        if self._version and not self.is_newest:
            raise self._refused("the store has lost the refresh token, and another replica has the newest one")
        return _Chain("")

    def _opened(self, name: str, sealed: object) -> _Chain:
        for sealer in self._sealers:
            data = sealer.open(name, sealed)
            with contextlib.suppress(msgspec.MsgspecError):
                if data is not None:
                    return msgspec.msgpack.decode(data, type=_Chain)
        raise self._refused("the refresh token in the store can't be read")

    def _sealed(self, chain: _Chain) -> bytes:
        return self._sealers[0].seal(self._name, msgspec.msgpack.encode(chain))

    def _digest(self, token: str) -> bytes:
        return self._sealers[0].digest(*_digested(token))[:16]

    def _refused(self, detail: str) -> OwnCredentialRefused:
        return OwnCredentialRefused(self._platform, detail, retry_after=RETRY_AFTER)


def _digested(token: str) -> tuple[bytes, bytes]:
    return b"refresh token", token.encode()
