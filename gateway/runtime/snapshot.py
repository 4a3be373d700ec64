"""Snapshots of what a reload exchanges: callers and credentials. A request runs in one snapshot from start to end."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec
from msgspec import structs

from adapters.refresh_token import RefreshTokens
from adapters.secret import RedactedRepr
from adapters.settings import PlatformSettings
from gateway.auth.callers import Callers
from gateway.auth.principal import PrincipalCache
from gateway.auth.request_headers import PAGE_HEADERS
from gateway.auth.viewers import Viewers, identity_headers
from gateway.config.settings import Settings
from gateway.platforms.platform import Platform
from gateway.platforms.registry import PlatformRegistry
from gateway.transports.trust import ENVIRONMENT, Authorities, CertificateSource, source_of

NO_CERTIFICATES: Final[Mapping[CertificateSource, Authorities]] = {}
APART: Final = ("credentials", "events", "max_calls", "max_waiting", "fresh_for", "stale_for")
"""Keys of a platform that say nothing of where it is."""


class Snapshot(RedactedRepr, msgspec.Struct, frozen=True):
    """Callers, credentials and platforms that are in force together."""

    settings: Settings
    callers: Callers
    platforms: Mapping[str, Platform]
    viewers: Viewers
    principals: PrincipalCache


class ReloadResult(msgspec.Struct, frozen=True):
    """What a reload did: the keys that were exchanged, and those that differ but need a restart."""

    exchanged: tuple[str, ...]
    needs_restart: tuple[str, ...]


class Snapshots:
    """Holds the current snapshot: the one reference that a reload swaps."""

    def __init__(self, settings: Settings, registry: PlatformRegistry, viewers_key: bytes | None = None) -> None:
        """`viewers_key` is the key of the hashes of viewers' tokens; None: a random one."""
        self._registry = registry
        self._viewers_key = viewers_key or secrets.token_bytes(32)
        self.current = self._of(settings)
        self._on_reload: list[Callable[[], None]] = []

    def when_reloaded(self, call: Callable[[], None]) -> None:
        """Call this whenever another snapshot is current."""
        self._on_reload.append(call)

    def read_certificates(self, settings: Settings) -> Mapping[CertificateSource, Authorities]:
        """The certificates in force whose files have changed, for `reload`. Reads files, so it belongs into a thread.

        A `ca_file` of another name needs a restart. Raises ConfigurationError.
        """
        before = self.current.settings.platforms
        same = [
            each
            for name, each in settings.platforms.items()
            if name in before and each.ca_file == before[name].ca_file
        ]
        return self._registry.network.trust.changed(same)

    def reload(
        self, settings: Settings, certificates: Mapping[CertificateSource, Authorities] = NO_CERTIFICATES
    ) -> ReloadResult:
        """Put the callers and the credentials of `settings` in force, and these certificates.

        Sessions of a credential that has changed are dropped with it, all others are kept. Raises ConfigurationError
        where the new ones don't go together with what only a restart could change.
        """
        before = self.current.settings
        after = Settings(
            server=before.server,
            cache=before.cache,
            shared=before.shared,
            watch=before.watch,
            platforms={
                name: _renewed(each, settings.platforms.get(name), self._registry.refresh_tokens[name])
                for name, each in before.platforms.items()
            },
            callers=settings.callers,
            warnings=settings.warnings,
        )
        changed = [
            name for name, each in after.platforms.items() if each.credentials != before.platforms[name].credentials
        ]
        self._registry.renew(after, changed)
        self._registry.network.renew(certificates)
        self.current = self._of(after)
        for call in self._on_reload:
            call()
        exchanged = [f"platforms.{name}.credentials" for name in changed]
        exchanged += [
            f"platforms.{name}.events"
            for name, each in after.platforms.items()
            if each.events != before.platforms[name].events
        ]
        exchanged += _trusting(after.platforms, certificates)
        if before.callers != after.callers:
            exchanged.insert(0, "callers")
        return ReloadResult(tuple(exchanged), tuple(_beyond(before, settings)))

    def _of(self, settings: Settings) -> Snapshot:
        platforms = self._registry.platforms
        adapters = {name: platform.adapter for name, platform in platforms.items()}
        return Snapshot(
            settings=settings,
            callers=Callers(settings.callers),
            platforms=platforms,
            viewers=Viewers(adapters, self._viewers_key),
            principals=PrincipalCache((*PAGE_HEADERS, *identity_headers(adapters.values()))),
        )


def _trusting(
    platforms: Mapping[str, PlatformSettings], certificates: Mapping[CertificateSource, Authorities]
) -> Iterator[str]:
    """The keys and the variables that name these certificates, each once."""
    for name, each in platforms.items():
        if each.ca_file is not None and source_of(each) in certificates:
            yield f"platforms.{name}.ca_file"
    yield from (source.key for source in certificates if source.key in ENVIRONMENT)


def _renewed(before: PlatformSettings, after: PlatformSettings | None, tokens: RefreshTokens) -> PlatformSettings:
    """With the credentials and events of `after`, if that is the same platform: they may be another host's."""
    if after is None or not _is_same_place(before, after):
        return before
    return structs.replace(before, credentials=after.credentials.as_first_configured(tokens), events=after.events)


def _is_same_place(before: PlatformSettings, after: PlatformSettings) -> bool:
    """Whatever is different but what says nothing of where it is."""
    if type(before) is not type(after):
        return False
    apart = {key: getattr(before, key) for key in APART}
    return structs.replace(after, **apart) == before


def _beyond(before: Settings, after: Settings) -> Iterator[str]:
    """The keys that differ, and that no reload changes."""
    yield from _different("server", before.server, after.server)
    yield from _different("cache", before.cache, after.cache)
    yield from _different("watch", before.watch, after.watch)
    if before.shared != after.shared:
        yield "shared"
    for name in {**before.platforms, **after.platforms}:
        old, new = before.platforms.get(name), after.platforms.get(name)
        if old is None or new is None:
            yield f"platforms.{name}"
        elif type(old) is not type(new):
            yield f"platforms.{name}.adapter"
        else:
            moved = not _is_same_place(old, new)
            for key in _different(f"platforms.{name}", old, new):
                if moved or not key.endswith((".credentials", ".events")):
                    yield key


def _different(table: str, before: msgspec.Struct, after: msgspec.Struct) -> Iterator[str]:
    for key in before.__struct_fields__:
        if getattr(before, key) != getattr(after, key):
            yield f"{table}.{key}"
