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
from gateway.api import conditional, inputs
from gateway.api.call import RequestContext
from gateway.api.endpoint import Endpoint
from gateway.api.responses import not_modified, reads
from gateway.auth.headers import RequestHeaders
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
    call: RequestContext, platform: Platform, user_id: int, deadline: float, since: float
) -> tuple[Reading, Explainer]:
    """Looks up one connection, and follows how. The explainer is in the record of the request if that fails."""
    viewer = call.reader(platform.name)
    explainer = platform.explainer(viewer, call.access.received_at)
    call.access.explainers = (explainer,)
    return await platform.lookups.one(viewer, user_id, deadline, since, explainer), explainer


def explained_body(reading: Reading, explainer: Explainer) -> bytes:
    """An `ExplainedConnection` as JSON."""
    return b'%b,"explain":%b}' % (reading.body[:-1], msgspec.json.encode(explainer.explanation(reading)))


def routes(identities: Iterable[str], request_timeout: float) -> list[Endpoint]:
    answer, unchanged = reads(identities), not_modified(identities)

    async def get_connection(request: Request) -> Response:
        call = RequestContext.of(request)
        access = call.access
        access.action = "lookup"
        platform = inputs.platform(request, call)
        user_id = inputs.user_id(request, access)
        if request.scope["query_string"]:
            inputs.only_query(request, "explain")
            access.explains = inputs.flag(request, "explain")
        deadline, since = inputs.deadline(access, request_timeout), inputs.since(access)
        if not access.explains and not access.is_traced:
            viewer = call.reader(platform.name)
            reading = await platform.lookups.one(viewer, user_id, deadline, since)
            return told(reading, access.headers)
        reading, explainer = await read_explained(call, platform, user_id, deadline, since)
        if not access.explains:
            return told(reading, access.headers)
        return answer(explained_body(reading, explainer), reading.age, reading.source)

    def told(reading: Reading, headers: RequestHeaders) -> Response:
        etag = reading.cached.etag(reading.body)
        if b"if-none-match" in headers and conditional.is_known(headers, etag):
            return unchanged(reading.age, reading.source, etag)
        return answer(reading.body, reading.age, reading.source, etag)

    return [Endpoint("/v1/connections/{platform}/{user_id}", get_connection, OPERATION, at_once=True)]
