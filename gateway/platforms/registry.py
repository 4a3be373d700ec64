"""Connects the configured platforms, for the app and for the command line."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Collection, Mapping
from typing import Final

import httpx

from adapters import adapter_name, connect
from adapters.refresh_token import RefreshTokens
from adapters.settings import PlatformSettings
from gateway.config.settings import Settings
from gateway.platforms.list_cache import ListCache
from gateway.platforms.lookup.cache import ResponseCache
from gateway.platforms.platform import Platform
from gateway.platforms.replicas import ALONE, Replicas
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.spans import UNTRACED, Spans
from gateway.transports.pool import Pool
from gateway.transports.stack import Stack
from gateway.transports.trust import Authorities, CertificateSource, TrustStore, source_of

LISTS_SHARE: Final = 10
"""One connection in kept pages of lists for so many entries in the cache of lookups."""
LONGEST_REQUEST: Final = 4
"""In timeouts: a request ends within two, whatever it has to wait for."""

Wire = Callable[[PlatformSettings], httpx.AsyncBaseTransport]
"""Gives a platform its innermost transport."""
Warn = Callable[[str, str], None]
"""Told, in a word, what the operator should know of a platform, and of which."""


class PlatformRegistry:
    """The platforms by name. Each keeps one stack of transports for as long as the process runs.

    `warn` may be called from any thread. Nothing is sent yet.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        wire: Wire | None = None,
        warn: Warn,
        metrics: Metrics,
        spans: Callable[[str], Spans] | None = None,
        replicas: Replicas = ALONE,
    ) -> None:
        self.network = Network()
        """what a reload gives new certificates; without a pool where `wire` was given"""
        wire = wire or self.network
        self._timeout = settings.server.request_timeout
        self._watch_interval = settings.watch.interval
        self._warn = warn
        self._replicas = replicas
        self._cache = ResponseCache(settings.cache.max_entries)
        self._lists = ListCache(settings.cache.max_entries // LISTS_SHARE)
        self._usual = settings.cache
        self._metrics = {name: metrics.of(name) for name in settings.platforms}
        metrics.watch_caches(lambda: len(self._cache), lambda: len(self._lists), settings.cache.max_entries)
        most = settings.server.max_concurrency
        max_waiting = (most + 1) // 2 if len(settings.platforms) > 1 else most
        spans = spans or (lambda _platform: UNTRACED)
        self._stacks = {
            name: Stack(
                name,
                each,
                wire(each),
                self._metrics[name],
                max_waiting,
                spans=spans(name),
                on_pause=functools.partial(replicas.throttled, name),
            )
            for name, each in settings.platforms.items()
        }
        self.refresh_tokens = {name: RefreshTokens() for name in settings.platforms}
        """by platform: those that are in use, whatever the configuration says by now"""
        self._retired: dict[asyncio.Task[None], Platform] = {}
        self.platforms: Mapping[str, Platform] = {
            name: self._connect(name, each) for name, each in settings.platforms.items()
        }

    def stack(self, platform: str) -> Stack:
        """The transports of this platform."""
        return self._stacks[platform]

    def renew(self, settings: Settings, names: Collection[str]) -> None:
        """Connect these with the credentials that `settings` have now: what is under way ends as it began."""
        before = self.platforms
        self.platforms = {
            name: self._connect(name, settings.platforms[name]) if name in names else platform
            for name, platform in before.items()
        }
        for name in names:
            retiring = asyncio.get_running_loop().create_task(self._retire(before[name]))
            self._retired[retiring] = before[name]
            retiring.add_done_callback(self._retired.pop)

    async def aclose(self) -> None:
        retiring = dict(self._retired)
        for task in retiring:
            task.cancel()
        await asyncio.gather(*retiring, return_exceptions=True)
        for platform in (*self.platforms.values(), *retiring.values()):
            await platform.close()
        for stack in self._stacks.values():
            await stack.aclose()

    async def _retire(self, platform: Platform) -> None:
        """A request that runs in the old snapshot may begin another call, but not for long."""
        await platform.retire()
        await asyncio.sleep(LONGEST_REQUEST * self._timeout)
        await platform.retire()

    def _warned(self, platform: str, word: str) -> None:
        self._metrics[platform].warned(word)
        self._warn(word, platform)

    def _connect(self, name: str, settings: PlatformSettings) -> Platform:
        adapter = connect(
            name,
            settings,
            self._stacks[name].outermost,
            timeout=self._timeout,
            warn=functools.partial(self._warned, name),
            logged_in=self._metrics[name].logged_in,
            refresh_tokens=self.refresh_tokens[name],
            tokens=self._replicas.tokens(name, settings),
        )
        fresh_for = self._usual.fresh_for if settings.fresh_for is None else settings.fresh_for
        stale_for = self._usual.stale_for if settings.stale_for is None else settings.stale_for
        cache = self._cache.platform(fresh_for, stale_for)
        return Platform(
            adapter_name(settings),
            adapter,
            self._stacks[name],
            cache,
            self._lists.platform(fresh_for, stale_for),
            request_timeout=self._timeout,
            replicas=self._replicas,
            watch_interval=self._watch_interval,
            second_tier=self._replicas.connections(name, settings, fresh_for=fresh_for, max_age=cache.max_age),
        )


class Network:
    """Gives each platform a pool of connections, and the pools new certificates when those in the files change."""

    def __init__(self) -> None:
        self.trust = TrustStore()
        self._pools: list[tuple[PlatformSettings, Pool]] = []

    def __call__(self, settings: PlatformSettings) -> httpx.AsyncBaseTransport:
        """Raises ConfigurationError where the environment names certificates that can't be loaded."""
        pool = Pool(limit=settings.max_calls, tls=self.trust.context(settings), proxy=settings.proxy)
        self._pools.append((settings, pool))
        return pool

    def renew(self, changed: Mapping[CertificateSource, Authorities]) -> None:
        """Put these in force: no connection that was made under others is used for another call."""
        self.trust.update(changed)
        for settings, pool in self._pools:
            if source_of(settings) in changed:
                pool.trust(self.trust.context(settings))
