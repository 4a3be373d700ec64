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


class PlatformEntry(msgspec.Struct, frozen=True):
    name: str
    adapter: str
    credentials: str
    actions: tuple[Action, ...]
    health: Health


def routes(platforms: Mapping[str, Platform]) -> list[Route]:
    async def list_platforms(request: Request) -> Response:
        inputs.no_query(request)
        entries = [
            PlatformEntry(each.name, each.kind, each.adapter.mode, each.offered, each.health)
            for each in platforms.values()
        ]
        content = msgspec.json.encode({"platforms": entries})
        return Response(content, headers={"cache-control": "private, no-cache"}, media_type="application/json")

    return [Route("/v1/platforms", list_platforms)]
