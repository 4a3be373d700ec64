"""`POST /v1/act`: many actions over any platforms, each alone in its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import Action, Connection, PlatformError, PlatformNameText, Viewer
from adapters.secret import RedactedRepr
from adapters.user_ids import UserId, UserKey
from gateway.api import inputs
from gateway.api.audit import Audit
from gateway.api.context import RequestContext
from gateway.api.endpoint import Endpoint
from gateway.api.request_record import RequestRecord
from gateway.api.responses import answer
from gateway.api.results import Failed, Found, Results, failed
from gateway.api.routes.actions import send
from gateway.config.caller_settings import Right
from gateway.openapi import shared
from gateway.openapi.operation import OF_THE_API, Answer, Operation, Tag
from gateway.platforms.platform import Platform
from gateway.problems.problem import Kind, Problem, as_problem

MOST_ACTIONS: Final = 100


class RequestedAction(RedactedRepr, msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An action on one user of a platform."""

    platform: PlatformNameText
    user_id: UserId
    action: Annotated[str, msgspec.Meta(extra_json_schema={"$ref": "#/components/schemas/Action"})]


class ActRequest(RedactedRepr, msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do."""

    actions: Annotated[
        list[RequestedAction],
        msgspec.Meta(
            description="Over any platforms; each user at most once, since nothing says in which order they run.",
            extra_json_schema={"minItems": 1, "maxItems": MOST_ACTIONS},
        ),
    ]


class ActResults(RedactedRepr, msgspec.Struct, frozen=True):
    """As many as actions were asked for, in the same order: the connection after each, or why it was not done."""

    results: Results


_DECODER: Final = msgspec.json.Decoder(ActRequest)
OPERATION: Final = Operation(
    tag=Tag.CONNECTIONS,
    summary="Act on many connections",
    details="""\
Up to 100 actions over any platforms, each by the rules of a single one: its connection is read first, the action is
sent at most once, and what may have been applied is read back. All have the same time. Each is alone in its outcome:
an unknown platform, a missing credential or what you are not allowed is that entry's `error`. What is malformed
refuses the whole call before anything is done, and names the place.""",
    parameters=shared.HEADERS,
    body=ActRequest,
    body_example=ActRequest([RequestedAction("acme", "102", "accept"), RequestedAction("club", "7", "request")]),
    answers={
        HTTPStatus.OK: Answer(
            "A result for each action. It is 200 also where all of them failed.",
            ActResults,
            {"results": [{"connection": msgspec.to_builtins(shared.ACCEPTED)}]},
            headers=(shared.NOT_STORED,),
        )
    },
    problems=OF_THE_API | {Kind.PAYLOAD_TOO_LARGE},
    needs=(Found, Failed),
)


class Target(RedactedRepr, msgspec.Struct, frozen=True):
    """One of the actions, as it was understood."""

    platform: str
    user_id: UserKey
    action: Action


def routes(audit: Audit, request_timeout: float) -> list[Endpoint]:
    async def act_on_many(request: Request) -> Response:
        context = RequestContext.of(request)
        context.record.asks_for("act")
        inputs.only_query(request)
        targets = _targets(await request.body(), context)
        deadline = inputs.deadline(context, request_timeout)
        platforms = tuple({each.platform: None for each in targets if each.platform in context.platforms})
        viewers, named = context.resolve(platforms, Right.ACT)
        if isinstance(viewers, Problem):
            context.record.acts_for(named)
            raise viewers

        async def result(target: Target) -> Found | Failed:
            """What came of one action, which has lines of its own in the audit log."""
            platform = context.platforms.get(target.platform)
            on_behalf = {name: user_id for name, user_id in named.items() if name == target.platform}
            known = None if platform is None else platform.name
            record = context.record.part(known, target.user_id, target.action, on_behalf)
            try:
                connection = await act(
                    platform, target, viewers, record, deadline=deadline, until=context.received_at + request_timeout
                )
            except (Problem, PlatformError) as error:
                problem = as_problem(error)
                record.ended_in(problem)
                return failed(problem, target.user_id, context.record)
            else:
                return Found(msgspec.Raw(msgspec.json.encode(connection)))
            finally:
                audit.request(record, answered=True)

        results = await asyncio.gather(*map(result, targets))
        return answer(ActResults(results), {"cache-control": "no-store"})

    async def act(
        platform: Platform | None,
        target: Target,
        viewers: Mapping[str, Viewer | Problem],
        record: RequestRecord,
        *,
        deadline: float,
        until: float,
    ) -> Connection:
        if platform is None:
            raise inputs.unknown_platform(target.platform)
        platform.check_offers(target.action)
        viewer = viewers[platform.name]
        if isinstance(viewer, Problem):
            raise viewer
        record.acts_as(viewer)
        return await send(
            platform,
            viewer,
            target.user_id,
            target.action,
            record=record,
            audit=audit,
            deadline=deadline,
            until=until,
        )

    return [Endpoint("/v1/act", act_on_many, OPERATION, "POST", is_compressed=True)]


def _targets(body: bytes, context: RequestContext) -> list[Target]:
    actions = inputs.decoded(body, _DECODER).actions
    if not 1 <= len(actions) <= MOST_ACTIONS:
        raise Problem(Kind.INVALID_REQUEST, f"actions: expected 1 to {MOST_ACTIONS} entries, not {len(actions)}")
    found: dict[tuple[str, UserKey], Target] = {}
    for place, each in enumerate(actions):
        where = f"actions[{place}].user_id"
        user_id = inputs.checked_user_id(each.user_id, where, inputs.user_ids(each.platform, context))
        if each.action not in set(Action):
            expected = f"expected one of {', '.join(Action)}"
            raise Problem(Kind.INVALID_REQUEST, f"actions[{place}].action: {expected}")
        if (each.platform, user_id) in found:
            detail = "this user is named before: nothing says which of the two would be done first"
            raise Problem(Kind.INVALID_REQUEST, f"actions[{place}]: {detail}")
        found[each.platform, user_id] = Target(each.platform, user_id, Action(each.action))
    return list(found.values())
