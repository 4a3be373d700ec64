"""`GET /livez` and `GET /readyz`: for whatever runs the gateway. A platform that is down changes neither."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.lifecycle import Lifecycle
from gateway.routes.endpoint import Endpoint


def routes(lifecycle: Lifecycle) -> list[Endpoint]:
    async def livez(_request: Request) -> Response:
        return JSONResponse({"status": "live"}, headers={"cache-control": "no-store"})

    async def readyz(_request: Request) -> Response:
        status = 503 if lifecycle.draining else 200
        word = "draining" if lifecycle.draining else "ready"
        return JSONResponse({"status": word}, status, headers={"cache-control": "no-store"})

    return [Endpoint("/livez", livez), Endpoint("/readyz", readyz)]
