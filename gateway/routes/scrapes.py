"""`GET /metrics`: for the operator's collector. Names platforms, and nobody."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gateway.routes.endpoint import Endpoint
from gateway.telemetry.metrics import CONTENT_TYPE, Metrics


def routes(metrics: Metrics) -> list[Endpoint]:
    async def scrape(_request: Request) -> Response:
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"})

    return [Endpoint("/metrics", scrape)]
