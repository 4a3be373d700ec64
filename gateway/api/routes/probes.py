"""`GET /livez` and `GET /readyz`: probes for orchestrators. A platform that is down changes neither."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from gateway.api.endpoint import Endpoint
from gateway.api.responses import answer
from gateway.openapi import shared
from gateway.openapi.operation import OF_PROBES, Answer, Operation, Tag
from gateway.server.lifecycle import Lifecycle


class Liveness(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["live"] = "live"


class Readiness(msgspec.Struct, frozen=True):
    """Whether it takes requests."""

    status: Literal["ready", "draining"]


IS_READY: Final = Readiness("ready")
IS_DRAINING: Final = Readiness("draining")


def _says(summary: str, answers: dict[HTTPStatus, Answer]) -> Operation:
    return Operation(
        tag=Tag.OPERATION,
        summary=summary,
        details="Needs no key. A platform that is down changes nothing here.",
        parameters=(shared.REQUEST_ID,),
        answers=answers,
        problems=OF_PROBES,
        needs_key=False,
    )


LIVEZ: Final = _says(
    "Liveness: whether the process answers",
    {HTTPStatus.OK: Answer("It does.", Liveness, Liveness(), headers=(shared.NOT_STORED,))},
)
READYZ: Final = _says(
    "Readiness: whether it should be sent requests",
    {
        HTTPStatus.OK: Answer("It should.", Readiness, IS_READY, headers=(shared.NOT_STORED,)),
        HTTPStatus.SERVICE_UNAVAILABLE: Answer(
            "It has been told to stop.", Readiness, IS_DRAINING, headers=(shared.NOT_STORED,)
        ),
    },
)


def routes(lifecycle: Lifecycle) -> list[Endpoint]:
    async def get_liveness(_request: Request) -> Response:
        return answer(Liveness(), {"cache-control": "no-store"})

    async def get_readiness(_request: Request) -> Response:
        if lifecycle.draining:
            return answer(IS_DRAINING, {"cache-control": "no-store"}, HTTPStatus.SERVICE_UNAVAILABLE)
        return answer(IS_READY, {"cache-control": "no-store"})

    return [Endpoint("/livez", get_liveness, LIVEZ), Endpoint("/readyz", get_readiness, READYZ)]
