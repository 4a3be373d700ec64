"""`POST /v1/connections/{platform}/{user_id}/{action}`: no body in, the connection after the action out."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import Action, Connection, Viewer
from adapters.user_ids import UserKey
from gateway.api import inputs
from gateway.api.audit import Audit
from gateway.api.context import RequestContext
from gateway.api.endpoint import Endpoint
from gateway.api.request_record import RequestRecord
from gateway.api.responses import answer
from gateway.config.caller_settings import Right
from gateway.openapi import shared
from gateway.openapi.operation import OF_ONE_PLATFORM, Answer, Operation, Parameter, Tag, Where
from gateway.platforms.platform import Platform
from gateway.problems.problem import Kind, Problem

OPERATION: Final = Operation(
    tag=Tag.CONNECTIONS,
    summary="Request, accept, reject, cancel or remove a connection",
    details="""\
An action has a goal: `request` is to be `pending_outgoing` or `connected`, `accept` to be `connected`, `reject` to be
`rejected` or `none`, `cancel` and `remove` to be `none`. If the goal is met already, nothing is sent, and the answer
is 200. Otherwise the action is sent once, and never again where it may have been applied. It takes no body. If your
time for it passes, it runs on.""",
    parameters=(
        shared.PLATFORM,
        shared.USER,
        Parameter("action", Where.PATH, Action, "One of a connection's `actions`.", "accept"),
        *shared.HEADERS,
    ),
    answers={
        HTTPStatus.OK: Answer(
            "The connection after the action.",
            Connection,
            shared.ACCEPTED,
            headers=(shared.NOT_STORED,),
        )
    },
    problems=OF_ONE_PLATFORM
    | {
        Kind.ACTION_NOT_POSSIBLE,
        Kind.ACTION_NOT_OFFERED,
        Kind.PAYLOAD_TOO_LARGE,
        Kind.OUTCOME_UNKNOWN,
    },
)


async def act(
    context: RequestContext,
    audit: Audit,
    platform: Platform,
    user_id: UserKey,
    action: Action,
    *,
    deadline: float,
    until: float,
) -> Connection:
    """The connection after the action. The caller waits until `deadline`, the action has until `until`."""
    platform.check_offers(action)
    viewer = context.viewer(platform.name, Right.ACT)
    return await send(
        platform, viewer, user_id, action, record=context.record, audit=audit, deadline=deadline, until=until
    )


async def send(
    platform: Platform,
    viewer: Viewer,
    user_id: UserKey,
    action: Action,
    *,
    record: RequestRecord,
    audit: Audit,
    deadline: float,
    until: float,
) -> Connection:
    """The connection after the action of this viewer, which the audit log tells from `record`."""
    connection = await platform.act(
        viewer,
        user_id,
        action,
        deadline=deadline,
        until=until,
        begin=partial(audit.begun, record),
        late=partial(audit.late, record),
    )
    record.ended_at(platform.name, connection.status)
    return connection


def routes(audit: Audit, request_timeout: float) -> list[Endpoint]:
    async def act_on_connection(request: Request) -> Response:
        context = RequestContext.of(request)
        word = request.path_params["action"]
        context.record.asks_for(word if word in set(Action) else None)
        platform = inputs.platform(request, context)
        user_id = inputs.user_id(request, context, platform)
        action = parse_action(word, Kind.NOT_FOUND)
        if await request.body():
            raise Problem(Kind.INVALID_REQUEST, "body: expected none")
        inputs.only_query(request)
        deadline = inputs.deadline(context, request_timeout)
        until = context.received_at + request_timeout
        connection = await act(context, audit, platform, user_id, action, deadline=deadline, until=until)
        return answer(connection, {"cache-control": "no-store"})

    return [Endpoint("/v1/connections/{platform}/{user_id}/{action}", act_on_connection, OPERATION, "POST")]


def parse_action(word: str, kind: Kind) -> Action:
    """The action of this name; where there is none, a Problem of this kind."""
    try:
        return Action(word)
    except ValueError:
        raise Problem(kind, f"no such action: expected one of {', '.join(Action)}") from None
