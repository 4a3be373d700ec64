"""`GET /v1/watch` and `POST /v1/watch`: the state of each user, and then whenever it changes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from msgspec import structs
from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import Connection
from adapters.settings import PLATFORM_NAME
from adapters.user_ids import USER_ID, UserKey
from gateway.api import inputs
from gateway.api.audit import Audit
from gateway.api.context import RequestContext
from gateway.api.endpoint import Endpoint
from gateway.api.event_stream import EVENT_STREAM, HEADERS, RETRY, EventName, EventStream, GoAway
from gateway.api.middleware.admission import Admission
from gateway.api.routes.lookups import LookupRequest, Target, checked_targets
from gateway.auth.principal import Principal
from gateway.config.caller_settings import Right
from gateway.openapi import shared
from gateway.openapi.operation import OF_THE_API, Answer, Header, Operation, Parameter, Tag, Where
from gateway.platforms.watch.stream import EndReason, Stream
from gateway.platforms.watch.streams import Streams
from gateway.problems.details import ProblemDetails
from gateway.problems.problem import Kind, Problem
from gateway.runtime.snapshot import Snapshots

MOST_IN_QUERY: Final = 100
"""Users that a GET can name: a URL has its limits."""
_DECODER: Final = msgspec.json.Decoder(LookupRequest)
_EXAMPLE: Final = "\n".join(
    [
        RETRY.decode().strip(),
        "",
        f"event: {EventName.CONNECTION}",
        f"data: {msgspec.json.encode(shared.EXAMPLE).decode()}",
        "",
        "",
    ]
)
DETAILS: Final = """\
The answer is a stream of server-sent events that goes on until one side ends it. It begins with the state of each
user, at most one interval (`watch.interval`) old. Then a state is sent whenever anything of it but `as_of` changes,
so the last event about a user is always the current state, and a stream that begins again needs nothing of the one
before.

- `connection`: a `Connection`.
- `problem`: a problem with `platform` and `user_id`, where nothing can be said of this user; again when it is another
  problem.
- `goaway`: the gateway ends the stream, and says why. Connect again.

A comment is sent every 15 seconds in which there is no event."""
ANSWERS: Final = {
    HTTPStatus.OK: Answer(
        "The stream. It is 200 also where nothing can be said of any user.",
        str,
        _EXAMPLE,
        media_type=EVENT_STREAM,
        headers=(
            shared.NOT_STORED,
            Header("X-Accel-Buffering", "Keeps proxies from holding events back.", "no"),
        ),
        events={
            EventName.CONNECTION: Connection,
            EventName.PROBLEM: ProblemDetails,
            EventName.GOAWAY: GoAway,
        },
    )
}
HEADER_PARAMETERS: Final = (shared.ON_BEHALF, shared.REQUEST_ID, shared.TRACE)
OF_QUERY: Final = Operation(
    tag=Tag.CONNECTIONS,
    summary="Watch a few connections",
    details=f"As `POST /v1/watch`, for `EventSource` in a browser: at most {MOST_IN_QUERY} users.\n\n{DETAILS}",
    parameters=(
        Parameter(
            "user",
            Where.QUERY,
            Annotated[
                list[Annotated[str, msgspec.Meta(pattern=f"^{PLATFORM_NAME}:{USER_ID}$")]],
                msgspec.Meta(min_length=1, max_length=MOST_IN_QUERY),
            ],
            "`PLATFORM:USER_ID`, once for each user.",
            ["acme:102", "club:7"],
            required=True,
        ),
        *HEADER_PARAMETERS,
    ),
    answers=ANSWERS,
    problems=OF_THE_API,
)
OF_BODY: Final = Operation(
    tag=Tag.CONNECTIONS,
    summary="Watch many connections",
    details=f"Up to {inputs.MOST_USERS:,} users over any platforms, each alone in its failure.\n\n{DETAILS}",
    parameters=HEADER_PARAMETERS,
    body=LookupRequest,
    body_example=LookupRequest([Target("acme", "102"), Target("club", "7")]),
    answers=ANSWERS,
    problems=OF_THE_API | {Kind.PAYLOAD_TOO_LARGE},
)


def routes(streams: Streams, snapshots: Snapshots, admission: Admission, audit: Audit) -> list[Endpoint]:
    async def watch_few_connections(request: Request) -> Response:
        inputs.only_query(request, "user")
        targets = _targets(request.query_params.getlist("user"), RequestContext.of(request))
        if request.method == "HEAD":
            return Response(None, headers={**HEADERS, "content-type": EVENT_STREAM})
        return answer(request, targets)

    async def watch_connections(request: Request) -> Response:
        inputs.only_query(request)
        users = inputs.decoded(await request.body(), _DECODER).users
        return answer(request, checked_targets(users, RequestContext.of(request)))

    def answer(request: Request, targets: Sequence[tuple[str, UserKey]]) -> Response:
        context = RequestContext.of(request)
        context.record.asks_for("watch")
        watched = WatchedUsers(targets, streams.open(), snapshots)
        try:
            watched.watch_as(watched.in_force(context))
        except BaseException:
            watched.stream.close()
            raise
        return EventStream(watched.stream, watched.check_again, admission, context.record, audit)

    return [
        Endpoint("/v1/watch", watch_few_connections, OF_QUERY, also=["POST"]),
        Endpoint("/v1/watch", watch_connections, OF_BODY, "POST", also=["GET", "HEAD"]),
    ]


class WatchedUsers:
    """The users that a caller watches, under the rights that it has now."""

    def __init__(self, targets: Sequence[tuple[str, UserKey]], stream: Stream, snapshots: Snapshots) -> None:
        self.stream = stream
        self._snapshots = snapshots
        self._users: dict[str, dict[UserKey, None]] = {}
        for platform, user_id in targets:
            self._users.setdefault(platform, {})[user_id] = None
        self._context: RequestContext | None = None

    def watch_as(self, context: RequestContext) -> None:
        """Watch as the viewers of this request. Raises the Problem that refuses the whole request."""
        self._context = context
        viewers = context.viewers([name for name in self._users if name in context.platforms], Right.READ)
        for name, users in self._users.items():
            viewer = viewers.get(name) or inputs.unknown_platform(name)
            if isinstance(viewer, Problem):
                self.stream.refuse(name, users, viewer)
            else:
                self.stream.watch(name, users, context.platforms[name].watches, viewer)
        expires_at = context.caller.expires_at
        if expires_at is not None:
            self.stream.expire_in(expires_at - time.time())

    def in_force(self, context: RequestContext) -> RequestContext:
        """This request under the callers and credentials that are in force now. Raises the Problem that refuses it.

        A reload may have come after the request was accepted: it checks only the streams that are open.
        """
        snapshot = self._snapshots.current
        if context.snapshot is snapshot:
            return context
        principal = Principal(snapshot.callers.of(context.headers), context.principal.claimed_viewers)
        return structs.replace(context, snapshot=snapshot, principal=principal)

    def check_again(self) -> None:
        """Watch under the callers and credentials that are in force now. Refused: it ends."""
        assert self._context is not None  # noqa: S101  it watches already
        try:
            self.watch_as(self.in_force(self._context))
        except Problem:
            self.stream.end(EndReason.CREDENTIAL_REFUSED)


def _targets(users: Sequence[str], context: RequestContext) -> list[tuple[str, UserKey]]:
    """The users of a query, parsed. Raises the Problem `invalid-request`."""
    if not 1 <= len(users) <= MOST_IN_QUERY:
        raise Problem(Kind.INVALID_REQUEST, f"user: expected 1 to {MOST_IN_QUERY}, not {len(users)}")
    found = []
    for place, text in enumerate(users):
        platform, colon, user_id = text.partition(":")
        if not colon:
            raise Problem(Kind.INVALID_REQUEST, f"user[{place}]: expected PLATFORM:USER_ID")
        found.append(
            (platform, inputs.checked_user_id(user_id, f"user[{place}]", inputs.user_ids(platform, context)))
        )
    return found
