"""`GET /v1/me`: what this caller may do, and as whom each platform is asked when it asks like this."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import PlatformNameText, Time, Viewer, described
from adapters.secret import RedactedRepr
from adapters.settings import ViewerSource
from adapters.times import MAX_MS, rfc3339
from adapters.user_ids import UserId
from gateway.api import inputs
from gateway.api.context import RequestContext
from gateway.api.endpoint import Endpoint
from gateway.api.responses import answer
from gateway.auth.callers import KEY_HEADER
from gateway.config.caller_settings import Right
from gateway.openapi import shared
from gateway.openapi.operation import OF_THE_API, Answer, Header, Operation, Tag
from gateway.platforms.platform import Platform
from gateway.problems.details import ProblemDetails, details
from gateway.problems.problem import Problem


class ViewerKind(StrEnum):
    """Whose eyes a platform is asked with."""

    TOKEN = "token"
    """the user's whose token the caller brings"""
    OWN = "own"
    """the one user's whose credential the gateway holds"""
    NAMED = "named"
    """the user's whom the caller names in X-On-Behalf-Of"""


OF_SOURCE: Final = {
    ViewerSource.CALLER: ViewerKind.TOKEN,
    ViewerSource.OWN: ViewerKind.OWN,
    ViewerSource.NAMED: ViewerKind.NAMED,
}


class MyPlatform(RedactedRepr, msgspec.Struct, frozen=True):
    """A platform that this caller may use."""

    name: PlatformNameText
    viewer: Annotated[
        ViewerKind,
        described(
            "As whom it is asked. `token`: the user whose token you bring. `own`: the one user whose credential the"
            " gateway holds. `named`: the user whom you name in `X-On-Behalf-Of`."
        ),
    ]
    on_behalf_of: Annotated[
        list[str],
        described("For whom you may speak there: user ids, or `*` for everybody. Only where it is `named`."),
    ]
    user_id: Annotated[UserId | None, described("The viewer whom this call names; null where it names nobody.")]
    error: Annotated[
        ProblemDetails | UnsetType, described("Why a call with these headers would not be answered there.")
    ] = UNSET


class Me(RedactedRepr, msgspec.Struct, frozen=True):
    """What the caller may do."""

    caller: Annotated[
        str | None, described("The caller's name; null where the gateway knows no callers, and is open.")
    ]
    may: Annotated[list[Right], described("What it may do on its platforms.")]
    expires_at: Annotated[Time | None, described("Until when its token is accepted; null for a key.")]
    platforms: list[MyPlatform]


OPERATION: Final = Operation(
    tag=Tag.PLATFORMS,
    summary="Show what this key may do",
    details="For trying out keys, tokens and headers: no platform is asked. Platforms that are closed to the caller"
    " are left out.",
    parameters=(shared.ON_BEHALF, shared.REQUEST_ID, shared.TRACE),
    answers={
        HTTPStatus.OK: Answer(
            "What you may do.",
            Me,
            Me(
                "web",
                [Right.READ, Right.ACT],
                None,
                [
                    MyPlatform("acme", ViewerKind.NAMED, ["*"], "7"),
                    MyPlatform("club", ViewerKind.OWN, [], None),
                ],
            ),
            headers=(
                Header("Cache-Control", "Only the gateway's own cache decides what is fresh.", "private, no-cache"),
                Header("Vary", "The headers that identify caller and viewer.", KEY_HEADER),
            ),
        )
    },
    problems=OF_THE_API,
)


def routes(identities: Iterable[str]) -> list[Endpoint]:
    headers = {"cache-control": "private, no-cache", "vary": ", ".join(identities)}

    async def get_me(request: Request) -> Response:
        context = RequestContext.of(request)
        inputs.only_query(request)
        mine = [each for each in context.platforms.values() if context.caller.may_use(each.name)]
        right = Right.READ if Right.READ in context.caller.rights else Right.ACT
        viewers = context.resolve([each.name for each in mine], right).viewers
        if isinstance(viewers, Problem):
            raise viewers
        caller = context.caller
        found = Me(
            caller.name,
            [right for right in Right if right in caller.rights],
            None if caller.expires_at is None else rfc3339(min(int(caller.expires_at * 1000), MAX_MS)),
            [_mine(each, viewers[each.name], context) for each in mine],
        )
        return answer(found, headers)

    return [Endpoint("/v1/me", get_me, OPERATION)]


def _mine(platform: Platform, viewer: Viewer | Problem, context: RequestContext) -> MyPlatform:
    source = platform.adapter.viewer_source
    is_named = source is ViewerSource.NAMED
    named = viewer.user_id if isinstance(viewer, Viewer) and is_named else None
    return MyPlatform(
        platform.name,
        OF_SOURCE[source],
        context.caller.speaks_for(platform.name) if is_named else [],
        None if named is None else str(named),
        details(viewer, context.request_id) if isinstance(viewer, Problem) else UNSET,
    )
