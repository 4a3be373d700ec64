"""What a replica does when others tell it of changes."""

from __future__ import annotations

from adapters.contract import CredentialRefused, UserNotFound, Viewer
from adapters.user_ids import UserKey
from gateway.platforms.registry import PlatformRegistry


class RemoteChanges:
    """Applies what others tell to the platforms of this process. Platforms that it does not have are ignored."""

    def __init__(self, registry: PlatformRegistry) -> None:
        self._registry = registry

    def evict(self, platform: str, viewer: bytes, user_id: UserKey) -> None:
        """As for an action of this process: what calls in flight return is not kept either."""
        found = self._registry.platforms[platform]
        found.lookups.drop(Viewer(platform, viewer), user_id)
        found.watches.on_action(Viewer(platform, viewer), user_id)

    def refuse(self, platform: str, viewer: bytes, user_id: UserKey | None) -> None:
        kind = CredentialRefused if user_id is None else UserNotFound
        error = kind(platform, "another replica was told so")
        self._registry.platforms[platform].lookups.drop_refused(Viewer(platform, viewer), user_id, error)

    def throttle(self, platform: str, scope: bytes, seconds: float) -> None:
        self._registry.stack(platform).hold(scope, seconds)

    def hint(self, platform: str, user_id: UserKey) -> None:
        self._registry.platforms[platform].take_hint((user_id,))

    def clear(self) -> None:
        """Evict all that is kept of all platforms: what has changed is not known."""
        for platform in self._registry.platforms.values():
            platform.lookups.clear()
