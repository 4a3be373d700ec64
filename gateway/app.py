"""The wiring, in one page: settings in, an ASGI app out."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from gateway.answering import Answering
from gateway.lifecycle import Lifecycle
from gateway.perimeter import Perimeter
from gateway.receipt import Receipt
from gateway.routes import actions, connections, lists, lookups, platforms, probes
from gateway.settings import Settings
from gateway.telemetry.access import AccessLog
from gateway.telemetry.log import Log
from gateway.viewers import Viewers
from gateway.wiring import Wire, connect_all


def create_app(settings: Settings, *, log: Log | None = None, wire: Wire | None = None) -> Starlette:
    """The gateway as an ASGI app; `app.state.lifecycle` is what its probes read.

    `wire` gives each platform its innermost transport; without it that is the network.
    """
    log = log or log_of(settings)
    lifecycle = Lifecycle()
    connected = connect_all(settings, wire)
    request_timeout = settings.server.request_timeout
    by_name = connected.platforms
    adapters = {name: platform.adapter for name, platform in by_name.items()}
    viewers = Viewers(adapters)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await connected.aclose()

    app = Starlette(
        routes=[
            *connections.routes(by_name, viewers, request_timeout),
            *lists.routes(by_name, viewers, request_timeout),
            *lookups.routes(by_name, viewers, request_timeout),
            *actions.routes(by_name, viewers, request_timeout),
            *platforms.routes(by_name),
            *probes.routes(lifecycle),
        ],
        middleware=[
            Middleware(AccessLog, log),
            Middleware(Answering, log, list(adapters.values())),
            Middleware(Perimeter, settings.server.hosts),
            Middleware(Receipt),
        ],
        exception_handlers={HTTPException: _pass_on},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.lifecycle = lifecycle
    return app


def log_of(settings: Settings) -> Log:
    """The log that the configuration asks for, on standard error."""
    key = settings.server.hash_key
    return Log(hash_key=None if key is None else key.reveal().encode())


async def _pass_on(_request: Request, refusal: Exception) -> Response:
    """Starlette's own refusals (404, 405) are answered where ours are."""
    raise refusal
