"""`POST /v1/connections/{platform}/{user_id}/{action}`: no body in, the connection after the action out."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import Action
from gateway.call import Call
from gateway.policy import Right
from gateway.problems import Kind, Problem
from gateway.routes import inputs
from gateway.routes.answers import answer
from gateway.routes.endpoint import Endpoint
from gateway.telemetry.audit import Audit


def routes(audit: Audit, request_timeout: float) -> list[Endpoint]:
    async def act(request: Request) -> Response:
        call = Call.of(request)
        word = request.path_params["action"]
        call.access.action = word if word in set(Action) else None
        platform = inputs.platform(request, call)
        user_id = inputs.user_id(request, call.access)
        action = _action(word)
        if await request.body():
            raise Problem(Kind.INVALID_REQUEST, "body: expected none")
        inputs.only_query(request)
        deadline = inputs.deadline(call.access, request_timeout)
        platform.check_offers(action)
        viewer = call.viewer(platform.name, Right.ACT)
        until = call.access.received_at + request_timeout
        late = partial(audit.late, call.access)
        connection = await platform.act(viewer, user_id, action, deadline=deadline, until=until, late=late)
        call.access.outcomes[platform.name] = connection.status
        return answer(connection, {"cache-control": "no-store"})

    return [Endpoint("/v1/connections/{platform}/{user_id}/{action}", act, "POST")]


def _action(word: str) -> Action:
    try:
        return Action(word)
    except ValueError:
        raise Problem(Kind.NOT_FOUND, f"no such action: expected one of {', '.join(Action)}") from None
