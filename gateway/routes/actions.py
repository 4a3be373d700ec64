"""`POST /v1/connections/{platform}/{user_id}/{action}`: no body in, the connection after the action out."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.contract import Action
from gateway.platform import Platform
from gateway.problems import Kind, Problem
from gateway.routes import inputs
from gateway.routes.answers import answer
from gateway.telemetry.access import Access
from gateway.viewers import Viewers


def routes(platforms: Mapping[str, Platform], viewers: Viewers, request_timeout: float) -> list[Route]:
    async def act(request: Request) -> Response:
        platform = inputs.platform(request, platforms)
        user_id = inputs.user_id(request)
        action = _action(request)
        if await request.body():
            raise Problem(Kind.INVALID_REQUEST, "body: expected none")
        inputs.only_query(request)
        deadline = inputs.deadline(request, request_timeout)
        platform.check_offers(action)
        viewer = viewers.viewer(request.headers, platform.name)
        until = Access.of(request.scope).received_at + request_timeout
        connection = await platform.act(viewer, user_id, action, deadline=deadline, until=until)
        return answer(connection, {"cache-control": "no-store"})

    return [Route("/v1/connections/{platform}/{user_id}/{action}", act, methods=["POST"])]


def _action(request: Request) -> Action:
    try:
        return Action(request.path_params["action"])
    except ValueError:
        raise Problem(Kind.NOT_FOUND, f"no such action: expected one of {', '.join(Action)}") from None
