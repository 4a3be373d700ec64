"""The second tier of the cache of all platforms: `SharedConnections` by platform, and what changes them."""

from __future__ import annotations

from adapters.contract import PlatformError, Viewer
from adapters.user_ids import UserKey
from gateway.shared.connections import SharedConnections
from gateway.shared.metrics import SharedMetrics
from gateway.shared.sealing import Sealer
from gateway.shared.store import Store


class SecondTiers:
    """Those of one replica. Platforms without a second tier are ignored."""

    def __init__(self, store: Store, sealer: Sealer, metrics: SharedMetrics, *, request_timeout: float) -> None:
        self._store = store
        self._sealer = sealer
        self._metrics = metrics
        self._request_timeout = request_timeout
        self._tiers: dict[str, SharedConnections] = {}

    def add(self, platform: str, parts: tuple[bytes, ...], *, fresh_for: float, max_age: float) -> SharedConnections:
        """Make the one of a platform. In place of another, after a reload, it uses nothing from before."""
        tier = SharedConnections(
            self._store,
            self._sealer,
            platform,
            parts,
            fresh_for=fresh_for,
            max_age=max_age,
            request_timeout=self._request_timeout,
            metrics=self._metrics,
            must_clear=platform in self._tiers,
        )
        self._tiers[platform] = tier
        return tier

    def evict(self, viewer: Viewer, user_id: UserKey) -> None:
        if viewer.platform in self._tiers:
            self._tiers[viewer.platform].evict(viewer, user_id)

    def on_refusal(self, viewer: Viewer, user_id: UserKey | None, error: PlatformError) -> None:
        if viewer.platform in self._tiers:
            self._tiers[viewer.platform].on_refusal(viewer, user_id, error)

    def clear(self, platform: str) -> None:
        if platform in self._tiers:
            self._tiers[platform].clear()

    def clear_all(self) -> None:
        for tier in self._tiers.values():
            tier.clear()
