"""What this replica shares with the others, put together: `Shared` is started and stopped with the app."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from adapters.contract import (
    CredentialRefused,
    Forbidden,
    OwnCredentialRefused,
    PlatformError,
    UserNotFound,
    Viewer,
)
from adapters.settings import PlatformSettings
from adapters.user_ids import UserKey
from gateway.config.shared_settings import SharedSettings
from gateway.shared.client import Client
from gateway.shared.confirmations import Confirmations
from gateway.shared.connections import SharedConnections
from gateway.shared.logins import LoginWaits, SharedTokens
from gateway.shared.messages import Message, MessageKind, decode, encode
from gateway.shared.metrics import SharedMetrics
from gateway.shared.places import fingerprint, place
from gateway.shared.rates import SharedRates
from gateway.shared.refresh_tokens import SharedRefreshToken
from gateway.shared.sealing import Sealer
from gateway.shared.second_tiers import SecondTiers
from gateway.shared.store import Connect, Store
from gateway.shared.stream import LIFETIME, MAX_LENGTH, Stream
from gateway.telemetry.log import Log

REPEATED_AFTER: Final = 5.0
"""Seconds in which the same refusal is told once."""
REMEMBERED: Final = 10_000
"""Refusals that are not told again."""


class Changes(Protocol):
    """Where what others tell is applied. Viewers are their keys."""

    def evict(self, platform: str, viewer: bytes, user_id: UserKey) -> None: ...

    def refuse(self, platform: str, viewer: bytes, user_id: UserKey | None) -> None: ...

    def throttle(self, platform: str, scope: bytes, seconds: float) -> None: ...

    def hint(self, platform: str, user_id: UserKey) -> None: ...

    def clear(self) -> None: ...


class Shared:
    """One replica's part. `changes` is set before it starts."""

    changes: Changes

    def __init__(
        self,
        settings: SharedSettings,
        platforms: Mapping[str, PlatformSettings],
        log: Log,
        metrics: SharedMetrics,
        *,
        request_timeout: float,
        connect: Connect = Client,
    ) -> None:
        keys = [settings.key] if settings.previous_key is None else [settings.key, settings.previous_key]
        self._sealers = tuple(Sealer(key, settings.prefix) for key in keys)
        self._sealer = self._sealers[0]
        self._metrics = metrics
        self._request_timeout = request_timeout
        self._origin = secrets.token_bytes(8)
        self._places = {name: self._sealer.digest(*place(name, each))[:16] for name, each in platforms.items()}
        self._platforms = {digest: name for name, digest in self._places.items()}
        self._waits = LoginWaits()
        self._told: OrderedDict[tuple[Viewer, UserKey | None], float] = OrderedDict()
        self._tokens: dict[str, SharedTokens] = {}
        self._is_caching = settings.cache
        self._publishing: set[asyncio.Task[None]] = set()
        self._confirmations = Confirmations(self._tell_missed)
        self._name = f"{settings.prefix}:messages"
        self.store = Store(settings, log, metrics, on_up=self._on_up, connect=connect)
        self.rates = SharedRates(self.store, self._sealer)
        self._second_tiers = SecondTiers(self.store, self._sealer, metrics, request_timeout=request_timeout)
        self._stream = Stream(
            settings,
            self._name,
            on_message=self._receive,
            on_start=self._on_start,
            on_gap=self._on_gap,
            on_loss=self._tell_missed,
            on_following=self._on_following,
            connect=connect,
        )

    @property
    def viewers_key(self) -> bytes:
        """The key of the hashes of viewers' tokens, which must be the same in all replicas."""
        return self._sealer.viewers

    def start(self) -> None:
        self.store.start()
        self._stream.start()

    async def aclose(self) -> None:
        for publishing in self._publishing:
            publishing.cancel()
        await self._confirmations.aclose()
        await self._stream.aclose()
        await self.store.aclose()

    def evicted(self, viewer: Viewer, user_id: UserKey) -> None:
        self._second_tiers.evict(viewer, user_id)
        self._tell(MessageKind.EVICT, viewer.platform, viewer.key, user_id)

    def refused(self, viewer: Viewer, user_id: UserKey | None, error: PlatformError) -> None:
        self._second_tiers.on_refusal(viewer, user_id, error)
        match error:
            case CredentialRefused() | OwnCredentialRefused():
                user_id = None
            case Forbidden() | UserNotFound():
                pass
            case _:
                return
        now = asyncio.get_running_loop().time()
        key = viewer, user_id
        if now - self._told.get(key, -REPEATED_AFTER) < REPEATED_AFTER:
            return
        while len(self._told) >= REMEMBERED:
            self._told.popitem(last=False)
        self._told[key] = now
        self._told.move_to_end(key)
        self._tell(MessageKind.REFUSED, viewer.platform, viewer.key, user_id)

    def throttled(self, platform: str, scope: bytes, seconds: float) -> None:
        self._tell(MessageKind.THROTTLED, platform, scope, seconds=seconds)

    def hinted(self, platform: str, user_ids: Iterable[UserKey]) -> None:
        self._second_tiers.clear(platform)
        for user_id in user_ids:
            self._tell(MessageKind.HINT, platform, b"", user_id)

    def tokens(self, platform: str, settings: PlatformSettings) -> SharedTokens:
        parts = (*place(platform, settings), fingerprint(settings))

        def logged_in(viewer: Viewer) -> None:
            self._tell(MessageKind.LOGGED_IN, platform, tokens.name(viewer).encode())

        tokens = SharedTokens(
            self.store,
            self._sealers,
            parts,
            waits=self._waits,
            request_timeout=self._request_timeout,
            metrics=self._metrics,
            logged_in=logged_in,
            refresh_token=SharedRefreshToken(
                self.store, self._sealers, parts, platform=platform, patience=self._request_timeout / 2
            ),
        )
        self._tokens[platform] = tokens
        return tokens

    def connections(
        self, platform: str, settings: PlatformSettings, *, fresh_for: float, max_age: float
    ) -> SharedConnections | None:
        """The second tier of the cache, if it is configured."""
        if not self._is_caching or not max_age:
            return None
        parts = (*place(platform, settings), fingerprint(settings))
        return self._second_tiers.add(platform, parts, fresh_for=fresh_for, max_age=max_age)

    def _tell(
        self, kind: MessageKind, platform: str, viewer: bytes, user_id: UserKey | None = None, seconds: float = 0.0
    ) -> None:
        message = Message(self._origin, kind, self._places[platform], viewer, user_id, seconds)
        self._send(message)

    def _send(self, message: Message) -> None:
        sealed = encode(message, self._sealer, self._name)
        self._confirmations.add(sealed)
        self.store.post("XADD", self._name, "MAXLEN", "~", MAX_LENGTH, "*", "m", sealed)
        self.store.post("EXPIRE", self._name, LIFETIME)

    def _tell_missed(self) -> None:
        """Messages were lost. Which ones is not known any more, so everything may have changed."""
        self._send(Message(self._origin, MessageKind.MISSED))

    def _on_up(self) -> None:
        for tokens in self._tokens.values():
            publishing = asyncio.create_task(tokens.refresh_token.publish())
            self._publishing.add(publishing)
            publishing.add_done_callback(self._publishing.discard)

    def _on_following(self, is_following: bool) -> None:
        self._metrics.following.set(is_following)
        self._confirmations.is_following = is_following
        if not is_following:
            self.store.post("PING")  # to find out whether the store can still be used

    def _on_start(self) -> None:
        self.changes.clear()

    def _on_gap(self) -> None:
        self._metrics.gaps.inc()
        self.changes.clear()
        self._second_tiers.clear_all()

    def _receive(self, sealed: object, age: float) -> None:
        message = decode(sealed, self._sealer, self._name)
        if message is None:  # under another key, of another version, or nobody's
            self._on_gap()
            return
        if message.origin == self._origin:
            self._confirmations.remove(sealed)
            return
        self._metrics.received[message.kind].inc()
        if message.kind is MessageKind.MISSED:
            self._on_gap()
            return
        platform = self._platforms.get(message.platform)
        if platform is not None:
            self._apply(platform, message, age)

    def _apply(self, platform: str, message: Message, age: float) -> None:
        """Do what a message of another replica says."""
        match message.kind:
            case MessageKind.EVICT if message.user_id is not None:
                self.changes.evict(platform, message.viewer, message.user_id)
                # Under another credential its entries have other names.
                self._second_tiers.evict(Viewer(platform, message.viewer), message.user_id)
            case MessageKind.REFUSED:
                self.changes.refuse(platform, message.viewer, message.user_id)
            case MessageKind.THROTTLED if message.seconds > age:
                self.changes.throttle(platform, message.viewer, message.seconds - age)
            case MessageKind.HINT if message.user_id is not None:
                self.changes.hint(platform, message.user_id)
                self._second_tiers.clear(platform)
            case MessageKind.LOGGED_IN:
                self._tokens[platform].refresh_token.is_newest = False
                self._waits.wake(message.viewer.decode())
