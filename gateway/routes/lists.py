"""`GET /v1/connections`: one list over any platforms, in pages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Final, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import Connection, PlatformNameText, Status, described
from adapters.secret import Quiet
from adapters.user_ids import UserId
from gateway import cursors, problems
from gateway.call import Call
from gateway.filters import Filters, listed_statuses
from gateway.listing import Place, Source, fill
from gateway.openapi import shared
from gateway.openapi.operation import OF_THE_API, Answer, Operation, Parameter, Tag, Where
from gateway.policy import Right
from gateway.problems import Kind, Problem
from gateway.routes import inputs
from gateway.routes.answers import reads
from gateway.routes.endpoint import Endpoint

USUAL_LIMIT: Final = 100
LONGEST: Final = 500
BYPASSED: Final = b"connection-gateway; fwd=bypass"
"""What is listed is asked for each time."""
PARAMETERS: Final = ("platform", "status", "user_id", "limit", "cursor")


class ConnectionList(Quiet, msgspec.Struct, frozen=True):
    """A page. It may be short, or empty, while there is a `next_cursor`."""

    connections: list[Connection]
    errors: Annotated[
        list[problems.ProblemDetails],
        described("What failed: a platform, one user, or entries that name no user; all others are answered."),
    ]
    next_cursor: Annotated[str | None, described("Asks for the next page, with the same filters; null on the last.")]


Cursor = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": "^[A-Za-z0-9_-]{1,512}$"})]
BOTH_PENDING: Final = ("pending_incoming", "pending_outgoing")
ListedStatus = Literal["connected", "pending_incoming", "pending_outgoing", "rejected", "all"]
SAYS: Final = Operation(
    tag=Tag.CONNECTIONS,
    summary="The viewer's connections, on any platforms",
    details="One list over several platforms, in their configured order. One that fails is an entry in `errors`, and"
    " the others still answer. Read `errors` on every page. After an action, begin again with the first page.",
    parameters=(
        Parameter("platform", Where.QUERY, list[PlatformNameText], "Only these; without it all of them.", ["acme"]),
        Parameter(
            "status",
            Where.QUERY,
            Annotated[list[ListedStatus], msgspec.Meta(extra_json_schema={"default": list(BOTH_PENDING)})],
            "Only these, or `all`; without it both pending ones.",
            ["pending_incoming"],
        ),
        Parameter(
            "user_id",
            Where.QUERY,
            Annotated[list[UserId], msgspec.Meta(extra_json_schema={"maxItems": inputs.MOST_USERS})],
            "Only these users. They are looked up; who is in none of the statuses, or does not exist, is left out.",
        ),
        Parameter(
            "limit",
            Where.QUERY,
            Annotated[int, msgspec.Meta(ge=1, le=LONGEST, extra_json_schema={"default": USUAL_LIMIT})],
            "The most connections on a page.",
            USUAL_LIMIT,
        ),
        Parameter("cursor", Where.QUERY, Cursor, "The `next_cursor` of the page before."),
        *shared.HEADERS,
    ),
    answers={
        HTTPStatus.OK: Answer(
            "A page. It is 200 also where every platform fails.",
            ConnectionList,
            ConnectionList([shared.EXAMPLE], [], None),
            headers=shared.OF_READS,
        )
    },
    problems=OF_THE_API | {Kind.UNKNOWN_PLATFORM},
)


def routes(identities: Iterable[str], request_timeout: float) -> list[Endpoint]:
    answer = reads(identities)

    async def list_connections(request: Request) -> Response:
        call = Call.of(request)
        call.access.action = "list"
        filters = _filters(request, call)
        limit = _limit(request)
        start = _start(request, filters)
        deadline = inputs.deadline(call.access, request_timeout)
        call.check(filters.platforms, Right.READ)
        seen_as = call.viewers(filters.platforms, Right.READ)
        sources = [Source(call.platforms[name], seen_as[name]) for name in filters.platforms]
        listing = await fill(sources, filters, start, limit, deadline)
        access = call.access
        for each in listing.errors:
            access.count(each.kind.slug)
            if each.user_id is None:
                access.outcomes[each.platform or ""] = each.kind.slug
        access.named = {name: user_id for name, user_id in access.named.items() if name in listing.asked}
        page = ConnectionList(
            listing.connections,
            [problems.details(each, access.request_id) for each in listing.errors],
            None if listing.next is None else cursors.encode(listing.next, filters),
        )
        return answer(msgspec.json.encode(page), 0, BYPASSED)

    return [Endpoint("/v1/connections", list_connections, SAYS)]


def _filters(request: Request, call: Call) -> Filters:
    """Without a platform's name, those that this caller may use."""
    query = request.query_params
    named = query.getlist("platform")
    for name in named:
        if name not in call.platforms:
            raise inputs.unknown_platform(name)
    inputs.only_query(request, *PARAMETERS)
    user_ids = {inputs.checked_user_id(text, "user_id") for text in query.getlist("user_id")}
    if len(user_ids) > inputs.MOST_USERS:
        raise Problem(Kind.INVALID_REQUEST, f"user_id: expected at most {inputs.MOST_USERS} users")
    asked = named or [name for name in call.platforms if call.caller.may_use(name)]
    return Filters(
        platforms=tuple(name for name in call.platforms if name in asked),
        statuses=_statuses(query.getlist("status")),
        user_ids=tuple(sorted(user_ids)),
    )


def _statuses(words: list[str]) -> frozenset[Status]:
    try:
        return listed_statuses(words)
    except ValueError as error:
        raise Problem(Kind.INVALID_REQUEST, str(error)) from error


def _limit(request: Request) -> int:
    text = _once(request, "limit")
    if text is None:
        return USUAL_LIMIT
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text) or int(text) > LONGEST:
        raise Problem(Kind.INVALID_REQUEST, f"limit: expected a number from 1 to {LONGEST}")
    return int(text)


def _start(request: Request, filters: Filters) -> Place | None:
    text = _once(request, "cursor")
    try:
        return None if text is None else cursors.decode(text, filters)
    except ValueError as error:
        raise Problem(Kind.INVALID_REQUEST, f"cursor: {error}") from error


def _once(request: Request, name: str) -> str | None:
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise Problem(Kind.INVALID_REQUEST, f"{name}: expected once")
    return values[0] if values else None
