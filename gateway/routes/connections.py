"""`GET /v1/connections/{platform}/{user_id}`: the endpoint that everything else serves."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from gateway.call import Call
from gateway.policy import Right
from gateway.routes import inputs
from gateway.routes.answers import readings
from gateway.routes.endpoint import Endpoint


def routes(identities: Iterable[str], request_timeout: float) -> list[Endpoint]:
    answer = readings(identities)

    async def lookup(request: Request) -> Response:
        call = Call.of(request)
        call.access.action = "lookup"
        platform = inputs.platform(request, call)
        user_id = inputs.user_id(request)
        inputs.only_query(request)
        deadline, since = inputs.deadline(request, request_timeout), inputs.since(request)
        viewer = call.viewer(platform.name, Right.READ)
        return answer(await platform.lookups.one(viewer, user_id, deadline, since))

    return [Endpoint("/v1/connections/{platform}/{user_id}", lookup)]
