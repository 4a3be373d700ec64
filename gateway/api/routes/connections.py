"""`GET /v1/connections/{platform}/{user_id}`: the endpoint that everything else serves."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import Connection, described
from adapters.user_ids import UserKey
from gateway.api import conditional, inputs
from gateway.api.context import RequestContext
from gateway.api.endpoint import Endpoint
from gateway.api.responses import not_modified, reads
from gateway.auth.request_headers import RequestHeaders
from gateway.explain.explanation import Explanation
from gateway.openapi import shared
from gateway.openapi.operation import OF_ONE_PLATFORM, Answer, Operation, Parameter, Tag, Where
from gateway.platforms.lookup.explainer import Explainer
from gateway.platforms.lookup.lookups import Reading
from gateway.platforms.platform import Platform


class ExplainedConnection(Connection, frozen=True):
    """One viewer's connection with one target user, and how the answer came to be."""

    explain: Annotated[Explanation | UnsetType, described("Only with `explain=true`.")] = UNSET


OPERATION: Final = Operation(
    tag=Tag.CONNECTIONS,
    summary="Look up one connection",
    details="The answer may be some seconds old (`Age`); where the platform can't be asked, it may be older, and then"
    " it says so in `stale`. A refusal by the platform is never answered from the cache.",
    parameters=(
        shared.PLATFORM,
        shared.USER,
        Parameter(
            "explain",
            Where.QUERY,
            bool,
            "Add `explain`: the steps that led to the answer, also to a problem.",
            example=True,
        ),
        shared.FRESHNESS,
        shared.IF_NONE_MATCH,
        *shared.HEADERS,
    ),
    answers={
        HTTPStatus.OK: Answer(
            "The connection.", ExplainedConnection, shared.EXAMPLE, headers=(*shared.OF_READS, shared.ETAG)
        ),
        HTTPStatus.NOT_MODIFIED: shared.UNCHANGED,
    },
    problems=OF_ONE_PLATFORM,
)


async def read_explained(
    context: RequestContext, platform: Platform, user_id: UserKey, deadline: float, since: float, *, explains: bool
) -> tuple[Reading, Explainer]:
    """Look up one connection, and observe how. `explains`: so is the caller, also of a problem."""
    viewer = context.reader(platform.name)
    explainer = platform.explainer(viewer, context.received_at)
    context.record.observed_by(explainer, explains=explains)
    return await platform.lookups.one(viewer, user_id, deadline, since, explainer), explainer


def explained_body(reading: Reading, explainer: Explainer) -> bytes:
    """An `ExplainedConnection` as JSON."""
    return b'%b,"explain":%b}' % (reading.body[:-1], msgspec.json.encode(explainer.explanation(reading)))


def routes(identities: Iterable[str], request_timeout: float) -> list[Endpoint]:
    answer, unchanged = reads(identities), not_modified(identities)

    async def get_connection(request: Request) -> Response:
        context = RequestContext.of(request)
        context.record.asks_for("lookup")
        platform = inputs.platform(request, context)
        user_id = inputs.user_id(request, context, platform)
        explains = False
        if request.scope["query_string"]:
            inputs.only_query(request, "explain")
            explains = inputs.flag(request, "explain")
        deadline, since = inputs.deadline(context, request_timeout), inputs.since(context)
        if not explains and not context.is_traced:
            viewer = context.reader(platform.name)
            reading = await platform.lookups.one(viewer, user_id, deadline, since)
            return told(reading, context.headers)
        reading, explainer = await read_explained(context, platform, user_id, deadline, since, explains=explains)
        if not explains:
            return told(reading, context.headers)
        return answer(explained_body(reading, explainer), reading.age, reading.origin)

    def told(reading: Reading, headers: RequestHeaders) -> Response:
        etag = reading.cached.etag(reading.body)
        if b"if-none-match" in headers and conditional.is_known(headers, etag):
            return unchanged(reading.age, reading.origin, etag)
        return answer(reading.body, reading.age, reading.origin, etag)

    return [Endpoint("/v1/connections/{platform}/{user_id}", get_connection, OPERATION, at_once=True)]
