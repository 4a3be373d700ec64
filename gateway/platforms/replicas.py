"""What a replica tells the others."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Protocol

from adapters.contract import PlatformError, Viewer
from adapters.settings import PlatformSettings
from adapters.token_store import TokenStore
from adapters.user_ids import UserKey
from gateway.platforms.second_tier import SecondTier


class Replicas(Protocol):
    """The other replicas. Nothing here waits for them, but the login of `tokens`."""

    def evicted(self, viewer: Viewer, user_id: UserKey) -> None:
        """Tell them that an action may have changed this connection."""
        ...

    def refused(self, viewer: Viewer, user_id: UserKey | None, error: PlatformError) -> None:
        """Tell them that the platform refused this viewer, or this user."""
        ...

    def throttled(self, platform: str, scope: bytes, seconds: float) -> None:
        """Tell them that the platform is not to be called for so long, in this scope."""
        ...

    def hinted(self, platform: str, user_ids: Collection[UserKey]) -> None:
        """Tell them that the platform says that something about these users has changed."""
        ...

    def tokens(self, platform: str, settings: PlatformSettings) -> TokenStore | None:
        """The sessions that they share; None where each has its own."""
        ...

    def connections(
        self, platform: str, settings: PlatformSettings, *, fresh_for: float, max_age: float
    ) -> SecondTier | None:
        """What they keep together of what the platform answered; None where each keeps its own alone."""
        ...


class NoReplicas:
    """This process is alone, or knows of no other."""

    def evicted(self, viewer: Viewer, user_id: UserKey) -> None:
        """Nobody is told."""

    def refused(self, viewer: Viewer, user_id: UserKey | None, error: PlatformError) -> None:
        """Nobody is told."""

    def throttled(self, platform: str, scope: bytes, seconds: float) -> None:
        """Nobody is told."""

    def hinted(self, platform: str, user_ids: Collection[UserKey]) -> None:
        """Nobody is told."""

    def tokens(self, _platform: str, _settings: PlatformSettings) -> None:
        """It has its own."""

    def connections(self, _platform: str, _settings: PlatformSettings, *, fresh_for: float, max_age: float) -> None:
        """It has no second tier."""


ALONE: Final[Replicas] = NoReplicas()
