"""Rates of callers over all replicas: the same algorithm as in `gateway.auth.rate_limits`, by the server's clock."""

from __future__ import annotations

from typing import Final

from gateway.shared.sealing import Sealer
from gateway.shared.store import Store, StoreDown

SCRIPT: Final = """
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = interval * burst
local used = tonumber(redis.call('GET', KEYS[1]) or now) or now
used = math.min(math.max(used, now), now + full)
local free = now + full - used
local allowed = 0
if free >= interval then
    allowed = 1
    used = used + interval
    free = free - interval
end
redis.call('SET', KEYS[1], string.format('%.0f', used), 'PX', math.ceil((used - now) / 1000) + 1)
return {allowed, free}
"""


class SharedRates:
    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer

    async def count(self, caller: str, interval: int, burst: int) -> tuple[bool, int] | None:
        """Count a request. Whether it is allowed, and the microseconds that are free then; None without the store."""
        try:
            allowed, free = await self._store.run("EVAL", SCRIPT, 1, self._name(caller), interval, burst)
        except StoreDown:
            return None
        return bool(allowed), int(free)

    def _name(self, caller: str) -> str:
        return self._sealer.name("rate", caller.encode())
