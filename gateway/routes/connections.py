"""`GET /v1/connections/{platform}/{user_id}`: the endpoint that everything else serves."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.call import Call
from gateway.policy import Right
from gateway.routes import inputs
from gateway.routes.answers import readings


def routes(identities: Iterable[str], request_timeout: float) -> list[Route]:
    answer = readings(identities)

    async def lookup(request: Request) -> Response:
        call = Call.of(request)
        call.access.action = "lookup"
        platform = inputs.platform(request, call)
        user_id = inputs.user_id(request)
        inputs.only_query(request)
        deadline, since = inputs.deadline(request, request_timeout), inputs.since(request)
        viewer = call.viewer(request.headers, platform.name, Right.READ)
        return answer(await platform.lookups.one(viewer, user_id, deadline, since))

    return [Route("/v1/connections/{platform}/{user_id}", lookup)]
