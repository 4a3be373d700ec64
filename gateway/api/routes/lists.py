"""`GET /v1/connections`: one list over any platforms, in pages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import Connection, PlatformNameText, described
from adapters.secret import RedactedRepr
from adapters.user_ids import UserId
from gateway.api import conditional, inputs
from gateway.api.context import RequestContext
from gateway.api.endpoint import Endpoint
from gateway.api.list_query import DEFAULT_LIMIT, MAX_LIMIT, read_filters, read_limit, read_start
from gateway.api.ndjson import encode_lines, lines
from gateway.api.request_record import RequestRecord
from gateway.api.responses import not_modified, reads
from gateway.config.caller_settings import Right
from gateway.openapi import shared
from gateway.openapi.operation import NDJSON, OF_THE_API, Answer, Operation, Parameter, Tag, Where
from gateway.platforms import cursors
from gateway.platforms.filters import Filters
from gateway.platforms.listing import ListedPlatform, Listing, Place, arrivals, fill
from gateway.platforms.lookup.encoded import weak_etag
from gateway.platforms.lookup.origin import STALE, Origin
from gateway.platforms.platform_page import PageQuery
from gateway.problems.details import ProblemDetails, details
from gateway.problems.problem import Kind

_AS_OF: Final = re.compile(rb'"as_of":"[^"]*"')


class ConnectionList(RedactedRepr, msgspec.Struct, frozen=True):
    """A page. It may be short, or empty, while there is a `next_cursor`."""

    connections: list[Connection]
    errors: Annotated[
        list[ProblemDetails],
        described(
            "What failed: a platform, one user, or entries that name no user. Everything else is in `connections`."
        ),
    ]
    next_cursor: Annotated[
        str | None, described("Requests the next page, with the same filters. Null on the last page.")
    ]
    complete: Annotated[
        bool,
        described(
            "Whether this page has all that belongs on it: false where anything failed, also where the connections of"
            " a platform that can't be asked are told as stale."
        ),
    ]


class ConnectionLine(RedactedRepr, msgspec.Struct, frozen=True):
    """One connection of a page."""

    index: Annotated[int, described("Counts the connections of the page from 0.")]
    connection: Connection


class ListEnd(RedactedRepr, msgspec.Struct, frozen=True):
    """The end of a page: what the JSON document has beside its connections."""

    count: Annotated[int, described("How many lines came before this one.")]
    errors: Annotated[list[ProblemDetails], described("As in the JSON document.")]
    next_cursor: Annotated[str | None, described("As in the JSON document.")]
    complete: Annotated[bool, described("As in the JSON document.")]


Cursor = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": "^[A-Za-z0-9_-]{1,4096}$"})]
BOTH_PENDING: Final = ("pending_incoming", "pending_outgoing")
ListedStatus = Literal["connected", "pending_incoming", "pending_outgoing", "rejected", "all"]
OPERATION: Final = Operation(
    tag=Tag.CONNECTIONS,
    summary="List connections",
    details="""\
One list over several platforms, in their configured order. A platform that fails is an entry in `errors`, `complete`
is false, and the others still answer; where every platform refuses *you* (400, 401, 403), so does the call. Read
`errors` on every page. After an action, begin again with the first page.

Lists are read live. Where a platform can't be asked, the pending requests that it had lately are told as `stale`,
unless you forbid that with `Cache-Control`; the reason stands in `errors`.

With `Accept: application/x-ndjson` every platform is asked at once, and each connection is a line of its own as soon
as its platform has answered. The last line has what the JSON document has beside the connections; where it is
missing, the answer was cut.""",
    parameters=(
        Parameter("platform", Where.QUERY, list[PlatformNameText], "Only these platforms. By default all.", ["acme"]),
        Parameter(
            "status",
            Where.QUERY,
            Annotated[list[ListedStatus], msgspec.Meta(extra_json_schema={"default": list(BOTH_PENDING)})],
            "Only these statuses, or `all`. By default both pending ones.",
            ["pending_incoming"],
        ),
        Parameter(
            "user_id",
            Where.QUERY,
            Annotated[list[UserId], msgspec.Meta(extra_json_schema={"maxItems": inputs.MOST_USERS})],
            "Only these users. They are looked up; users in none of the statuses, or who don't exist, are left out.",
        ),
        Parameter(
            "limit",
            Where.QUERY,
            Annotated[int, msgspec.Meta(ge=1, le=MAX_LIMIT, extra_json_schema={"default": DEFAULT_LIMIT})],
            "The maximum number of connections on a page.",
            DEFAULT_LIMIT,
        ),
        Parameter("cursor", Where.QUERY, Cursor, "The `next_cursor` of the page before."),
        shared.FRESHNESS,
        shared.IF_NONE_MATCH,
        *shared.HEADERS,
    ),
    answers={
        HTTPStatus.OK: Answer(
            "A page. It is 200 also where every platform fails.",
            ConnectionList,
            ConnectionList([shared.EXAMPLE], [], None, complete=True),
            headers=(*shared.OF_DOCUMENTS, shared.ETAG),
            lines=(ConnectionLine, ListEnd),
            lines_example=encode_lines(
                [ConnectionLine(0, shared.EXAMPLE), ListEnd(1, [], None, complete=True)]
            ).decode(),
        ),
        HTTPStatus.NOT_MODIFIED: shared.UNCHANGED,
    },
    problems=OF_THE_API
    | {Kind.UNKNOWN_PLATFORM, Kind.MISSING_CREDENTIAL, Kind.CREDENTIAL_REFUSED, Kind.PLATFORM_FORBIDDEN},
)


def routes(identities: Iterable[str], request_timeout: float) -> list[Endpoint]:
    identities = (*identities, "Accept")
    answer, unchanged, stream = reads(identities), not_modified(identities), lines(identities)

    async def list_connections(request: Request) -> Response:
        context = RequestContext.of(request)
        context.record.asks_for("list")
        filters = read_filters(request, context)
        limit = read_limit(request)
        start = read_start(request, filters)
        deadline, since = inputs.deadline(context, request_timeout), inputs.since(context)
        query = PageQuery(filters, limit, deadline, since)
        if inputs.prefers(context, NDJSON):
            parts = _lines(arrivals(_sources(filters, context), start, query), filters, context.record)
            return stream(await anext(parts), parts, deadline)
        page, listing = await read_page(context, start, query)
        body = msgspec.json.encode(page)
        age, origin = _origin(listing)
        if listing.errors:
            return answer(body, age, origin)
        etag = weak_etag(_AS_OF.sub(b"", body))
        if b"if-none-match" in context.headers and conditional.is_known(context.headers, etag):
            return unchanged(age, origin, etag)
        return answer(body, age, origin, etag)

    return [Endpoint("/v1/connections", list_connections, OPERATION, is_compressed=True)]


async def read_page(
    context: RequestContext, start: Sequence[Place], query: PageQuery
) -> tuple[ConnectionList, Listing]:
    """A page from `start` on, and what it was made of. Raises what refuses the whole call."""
    listing = await fill(_sources(query.filters, context), start, query)
    _report(listing, context.record)
    refusal = listing.refusal()
    if refusal is not None:
        raise refusal
    return ConnectionList(listing.connections, **_rest(listing, query.filters, context.record)), listing


def _sources(filters: Filters, context: RequestContext) -> list[ListedPlatform]:
    context.check(filters.platforms, Right.READ)
    viewers = context.viewers(filters.platforms, Right.READ)
    return [ListedPlatform(context.platforms[name], viewers[name]) for name in filters.platforms]


async def _lines(pages: AsyncIterator[Listing], filters: Filters, record: RequestRecord) -> AsyncGenerator[bytes]:
    """The lines of a page, those together that are known together. Raises what refuses the whole call."""
    listing, written = Listing(), 0
    async for listing in pages:
        if len(listing.connections) > written:
            new = listing.connections[written:]
            yield encode_lines(ConnectionLine(written + place, each) for place, each in enumerate(new))
            written += len(new)
    _report(listing, record)
    refusal = listing.refusal()
    if refusal is not None:
        raise refusal
    yield encode_lines([ListEnd(written, **_rest(listing, filters, record))])


def _report(listing: Listing, record: RequestRecord) -> None:
    """Report what came of the list."""
    for each in listing.errors:
        record.failed_at(each)
        if each.user_id is None:
            record.ended_at(each.platform or "", each.kind.slug)
    record.acts_for({name: user_id for name, user_id in record.named.items() if name in listing.asked})


def _rest(listing: Listing, filters: Filters, record: RequestRecord) -> dict[str, Any]:
    """What the document has beside its connections."""
    return {
        "errors": [details(each, record.request_id) for each in listing.errors],
        "next_cursor": cursors.encode(listing.next, filters) if listing.next else None,
        "complete": not listing.errors,
    }


def _origin(listing: Listing) -> tuple[int, Origin]:
    """The age in seconds of what was told as stale, and why it was."""
    now = asyncio.get_running_loop().time()
    ages = [int(now - page.stale_since) for page in listing.stale if page.stale_since is not None]
    reasons = {STALE[type(page.error)] for page in listing.stale if page.error is not None}
    return max(ages, default=0), reasons.pop() if len(reasons) == 1 else Origin.BYPASSED
