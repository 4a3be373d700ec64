"""`GET /v1/platforms`: what is configured, and what it offers. No URL, no secret."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.contract import Action
from gateway.platform import Health, Platform
from gateway.routes import inputs
from gateway.routes.answers import answer


class PlatformEntry(msgspec.Struct, frozen=True):
    name: str
    adapter: str
    credentials: str
    actions: tuple[Action, ...]
    health: Health


def routes(platforms: Mapping[str, Platform]) -> list[Route]:
    async def list_platforms(request: Request) -> Response:
        inputs.only_query(request)
        entries = [
            PlatformEntry(each.name, each.kind, each.adapter.mode, each.offered, each.health)
            for each in platforms.values()
        ]
        return answer({"platforms": entries}, {"cache-control": "private, no-cache"})

    return [Route("/v1/platforms", list_platforms)]
