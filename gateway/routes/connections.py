"""`GET /v1/connections/{platform}/{user_id}`: the endpoint that everything else serves."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.platform import Platform
from gateway.routes import inputs
from gateway.routes.answers import reads
from gateway.viewers import Viewers


def routes(platforms: Mapping[str, Platform], viewers: Viewers, request_timeout: float) -> list[Route]:
    answer = reads(viewers.headers)

    async def lookup(request: Request) -> Response:
        platform = inputs.platform(request, platforms)
        user_id = inputs.user_id(request)
        inputs.only_query(request)
        deadline = inputs.deadline(request, request_timeout)
        viewer = viewers.viewer(request.headers, platform.name)
        return answer(await platform.lookup(viewer, user_id, deadline))

    return [Route("/v1/connections/{platform}/{user_id}", lookup)]
