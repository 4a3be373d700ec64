"""`GET /v1/platforms`: what is configured, and what it offers. No URL, no secret."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import Action, PlatformNameText, described
from gateway.api import inputs
from gateway.api.context import RequestContext
from gateway.api.endpoint import Endpoint
from gateway.api.responses import answer
from gateway.auth.callers import KEY_HEADER
from gateway.health import Health
from gateway.openapi import shared
from gateway.openapi.operation import OF_THE_API, Answer, Header, Operation, Tag


class PlatformEntry(msgspec.Struct, frozen=True):
    """What is configured under one name. No URL, no secret."""

    name: PlatformNameText
    adapter: Annotated[str, described("Which kind of platform it is.")]
    credentials: Annotated[
        str,
        described(
            "Whose credential is used. `caller`: you bring the viewer's own token. `obo`: you name the viewer in"
            " `X-On-Behalf-Of`, and so with `jwt`, unless the gateway has been told whose it is. Any other (`bot`,"
            " `token`, `oauth2`): the gateway's own, which is one user's."
        ),
    ]
    actions: Annotated[tuple[Action, ...], described("What it offers in any state.")]
    health: Health


class PlatformList(msgspec.Struct, frozen=True):
    """The platforms that this caller may use."""

    platforms: list[PlatformEntry]


OPERATION: Final = Operation(
    tag=Tag.PLATFORMS,
    summary="List the configured platforms",
    details="Platforms that are closed to the caller are left out.",
    parameters=(
        shared.REQUEST_ID,
        shared.TRACE,
    ),
    answers={
        HTTPStatus.OK: Answer(
            "The platforms.",
            PlatformList,
            PlatformList([PlatformEntry("acme", "symphony", "bot", (Action.REQUEST, Action.ACCEPT), Health.UP)]),
            headers=(
                Header("Cache-Control", "Only the gateway's own cache decides what is fresh.", "private, no-cache"),
                Header("Vary", "Callers see what they may use.", KEY_HEADER),
            ),
        )
    },
    problems=OF_THE_API,
    sees=False,
)


def platform_list(context: RequestContext) -> PlatformList:
    """Those that this caller may use."""
    return PlatformList(
        [
            PlatformEntry(each.name, each.kind, each.adapter.mode, each.offered, each.health)
            for each in context.platforms.values()
            if context.caller.may_use(each.name)
        ]
    )


def routes() -> list[Endpoint]:
    async def list_platforms(request: Request) -> Response:
        context = RequestContext.of(request)
        inputs.only_query(request)
        return answer(platform_list(context), {"cache-control": "private, no-cache", "vary": KEY_HEADER})

    return [Endpoint("/v1/platforms", list_platforms, OPERATION)]
