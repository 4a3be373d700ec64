"""The composition root: settings in, an ASGI app out."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Collection, Sequence
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from adapters.user_ids import UserKey
from gateway.api.audit import Audit
from gateway.api.endpoint import Endpoint
from gateway.api.mcp import route as mcp_route
from gateway.api.mcp.messages import HEADERS as MCP_HEADERS
from gateway.api.middleware.access_log import AccessLog
from gateway.api.middleware.admission import Admission
from gateway.api.middleware.cors import cors
from gateway.api.middleware.exceptions import ExceptionMiddleware
from gateway.api.middleware.probe_guard import ProbeGuard
from gateway.api.middleware.request_guard import RequestGuard
from gateway.api.middleware.trusted_origins import TrustedOrigins
from gateway.api.routes import (
    act,
    actions,
    client,
    connections,
    docs,
    events,
    lists,
    lookups,
    me,
    platforms,
    probes,
    watch,
)
from gateway.api.routes import console as console_route
from gateway.api.routes import metrics as metrics_route
from gateway.auth.rate_limits import RateLimits
from gateway.auth.viewers import identity_headers
from gateway.config.settings import ConfigurationError, Settings
from gateway.openapi import document as openapi
from gateway.openapi.security import Security
from gateway.platforms.registry import PlatformRegistry, Wire
from gateway.platforms.remote_changes import RemoteChanges
from gateway.platforms.replicas import ALONE
from gateway.platforms.watch.event_inbox import EventInbox
from gateway.platforms.watch.streams import Streams
from gateway.problems.problem import error_type
from gateway.runtime.snapshot import Snapshots
from gateway.server.lifecycle import Lifecycle
from gateway.telemetry.log import Log
from gateway.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from gateway.shared.replicas import Shared
    from gateway.telemetry.otel import Traces


class App(Starlette):
    """Starlette without its own two exception middlewares (15 µs): `ExceptionMiddleware` does what they do."""

    def build_middleware_stack(self) -> ASGIApp:
        app: ASGIApp = self.router.app
        for layer in reversed(self.user_middleware):
            app = layer.cls(app, *layer.args, **layer.kwargs)
        return app


def create_app(settings: Settings, *, log: Log | None = None, wire: Wire | None = None) -> Starlette:
    """The gateway as an ASGI app; `app.state.lifecycle` is what its probes read, `openapi()` the document,
    and `admin` the app of the listener for probes and metrics.

    `wire` gives each platform its innermost transport; without it that is the network.
    """
    log = log or log_of(settings)
    lifecycle = Lifecycle()
    metrics = Metrics()
    metrics.watch_log(lambda: log.dropped)
    traces = _traces() if settings.server.traces else None
    spans = None if traces is None else traces.of
    shared = None if settings.shared is None else shared_of(settings, log, metrics)
    registry = PlatformRegistry(
        settings, wire=wire, warn=log.warn, metrics=metrics, spans=spans, replicas=shared or ALONE
    )
    if shared is not None:
        shared.changes = RemoteChanges(registry)
    snapshots = Snapshots(settings, registry, None if shared is None else shared.viewers_key)
    request_timeout = settings.server.request_timeout
    trusted_origins = TrustedOrigins(
        settings.server.hosts,
        settings.server.cors_origins,
        snapshots,
        any_host=settings.server.socket is not None,
    )
    rate_limits = RateLimits(None if shared is None else shared.rates)
    admission = Admission(settings.server.max_concurrency)
    metrics.watch_admission(lambda: admission.taken, settings.server.max_concurrency)
    streams = _streams(settings, metrics, lifecycle, snapshots)
    inboxes = {name: _inbox(name, snapshots) for name in settings.platforms}
    adapters = [platform.adapter for platform in registry.platforms.values()]
    identities = identity_headers(adapters)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if shared is not None:
            shared.start()
        yield
        try:
            await registry.aclose()
        finally:
            if shared is not None:
                await shared.aclose()
            if traces is not None:
                await traces.aclose()

    kinds = {platform.kind: platform.adapter for platform in registry.platforms.values()}

    @functools.cache
    def made(*, is_open: bool) -> bytes:
        """It takes a while, so it is made when somebody first asks."""
        return openapi.document(endpoints, Security(kinds, is_open=is_open))

    def document() -> bytes:
        return made(is_open=snapshots.current.callers.open)

    audit = Audit(log)
    endpoints = [
        *connections.routes(identities, request_timeout),
        *lists.routes(identities, request_timeout),
        *lookups.routes(identities, request_timeout),
        *watch.routes(streams, snapshots, admission, audit),
        *events.routes(inboxes, metrics.event),
        *actions.routes(audit, request_timeout),
        *act.routes(audit, request_timeout),
        *me.routes(identities),
        *platforms.routes(),
        *probes.routes(lifecycle),
        *(metrics_route.routes(metrics) if settings.server.admin is None else ()),
        *docs.routes(document, has_console=settings.server.console),
        *client.routes(),
    ]
    if settings.server.mcp:
        endpoints += mcp_route.routes(audit, request_timeout)
    if settings.server.console:
        endpoints += console_route.routes()
    app = App(
        routes=endpoints,
        middleware=[
            Middleware(AccessLog, log, metrics, settings.server.log),
            *([] if traces is None else [_tracing(traces)]),
            *cors(settings.server.cors_origins, (*identities, *(MCP_HEADERS if settings.server.mcp else ()))),
            Middleware(ExceptionMiddleware, log, adapters),
            Middleware(RequestGuard, trusted_origins, snapshots, admission, rate_limits),
        ],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.lifecycle = lifecycle
    app.state.metrics = metrics
    app.state.snapshots = snapshots
    app.state.openapi = document
    app.state.admin = _admin_app([*probes.routes(lifecycle), *metrics_route.routes(metrics)], settings, log, metrics)
    return app


def _admin_app(endpoints: Sequence[Endpoint], settings: Settings, log: Log, metrics: Metrics) -> Starlette:
    app = App(
        routes=endpoints,
        middleware=[
            Middleware(AccessLog, log, metrics, settings.server.log),
            Middleware(ExceptionMiddleware, log, ()),
            Middleware(ProbeGuard),
        ],
    )
    app.router.redirect_slashes = False
    return app


def _streams(settings: Settings, metrics: Metrics, lifecycle: Lifecycle, snapshots: Snapshots) -> Streams:
    streams = Streams(settings.watch.max_streams, settings.server.drain_delay)
    metrics.watch_streams(lambda: len(streams), settings.watch.max_streams)
    lifecycle.when_ending(streams.drain)
    snapshots.when_reloaded(streams.check_again)
    return streams


def _inbox(platform: str, snapshots: Snapshots) -> EventInbox:
    def hint(user_ids: Collection[UserKey]) -> None:
        snapshots.current.platforms[platform].on_hint(user_ids)  # which a reload may have exchanged

    return EventInbox(hint)


def _traces() -> Traces:
    """What the extra brings is imported only here."""
    try:
        from gateway.telemetry.otel import Traces

        return Traces(error_type)
    except ImportError as error:
        missing = f"server.traces: {error.name} is missing: install connection-gateway[otel]"
        raise ConfigurationError(missing) from error
    except ValueError:
        raise ConfigurationError("server.traces: one of OpenTelemetry's variables is not as it should be") from None


def shared_of(settings: Settings, log: Log, metrics: Metrics) -> Shared:
    """What `[shared]` configures. What the extra brings is imported only here. Raises ConfigurationError."""
    assert settings.shared is not None  # noqa: S101  there is nothing to make otherwise
    try:
        from gateway.shared.metrics import SharedMetrics
        from gateway.shared.replicas import Shared
    except ImportError as error:
        missing = f"shared: {error.name} is missing: install connection-gateway[shared]"
        raise ConfigurationError(missing) from error
    return Shared(
        settings.shared,
        settings.platforms,
        log,
        SharedMetrics(metrics.registry),
        request_timeout=settings.server.request_timeout,
    )


def _tracing(traces: Traces) -> Middleware:
    from gateway.api.middleware.tracing import Tracing

    return Middleware(Tracing, traces.tracer)


def log_of(settings: Settings, *, worker: int | None = None, hash_key: bytes | None = None) -> Log:
    """The log that the configuration asks for, on standard error; with `hash_key` where it has none."""
    key = settings.server.hash_key
    return Log(hash_key=hash_key if key is None else key.reveal().encode(), worker=worker)
