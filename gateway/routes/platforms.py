"""`GET /v1/platforms`: what is configured, and what it offers. No URL, no secret."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import Action
from gateway.call import Call
from gateway.callers import KEY_HEADER
from gateway.routes import inputs
from gateway.routes.answers import answer
from gateway.routes.endpoint import Endpoint
from gateway.stack import Health


class PlatformEntry(msgspec.Struct, frozen=True):
    name: str
    adapter: str
    credentials: str
    actions: tuple[Action, ...]
    health: Health


def routes() -> list[Endpoint]:
    async def list_platforms(request: Request) -> Response:
        """Those that this caller may use."""
        call = Call.of(request)
        inputs.only_query(request)
        entries = [
            PlatformEntry(each.name, each.kind, each.adapter.mode, each.offered, each.health)
            for each in call.platforms.values()
            if call.caller.may_use(each.name)
        ]
        return answer({"platforms": entries}, {"cache-control": "private, no-cache", "vary": KEY_HEADER})

    return [Endpoint("/v1/platforms", list_platforms)]
