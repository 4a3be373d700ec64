"""`GET /v1/connections/{platform}/{user_id}`: the endpoint that everything else serves."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.platform import Platform
from gateway.problems import Kind, Problem
from gateway.routes import inputs
from gateway.telemetry.access import Access
from gateway.viewers import Viewers


def routes(platforms: Mapping[str, Platform], viewers: Viewers, request_timeout: float) -> list[Route]:
    identities = {platform.adapter.TOKEN_HEADER: None for platform in platforms.values()}
    headers = {
        "cache-control": "private, no-cache",
        "age": "0",
        "cache-status": "connection-gateway; fwd=miss",
        "vary": ", ".join([*identities, "X-On-Behalf-Of"]),
    }

    async def lookup(request: Request) -> Response:
        access = Access.of(request.scope)
        platform = platforms.get(request.path_params["platform"])
        if platform is None:
            raise Problem(Kind.UNKNOWN_PLATFORM, "no platform of this name is configured: see /v1/platforms")
        access.platform = platform.name
        user_id = access.user_id = inputs.user_id(request)
        inputs.no_query(request)
        deadline = inputs.deadline(request, request_timeout)
        viewer = viewers.of(request.headers, platform.adapter)
        connection = await platform.lookup(viewer, user_id, deadline)
        return Response(msgspec.json.encode(connection), headers=headers, media_type="application/json")

    return [Route("/v1/connections/{platform}/{user_id}", lookup)]
