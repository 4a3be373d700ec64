"""`GET /console`: a page for operators, over the public API and `/metrics`. Served only if `server.console` is on.

The page is no call of the API, so `/openapi.json` does not list it.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway import pages
from gateway.api.endpoint import Endpoint
from gateway.openapi.operation import HTML
from gateway.problems.problem import Kind, Problem

HEADERS: Final = {"cache-control": "no-cache", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}


def routes() -> list[Endpoint]:
    async def get_console(_request: Request) -> Response:
        headers = {**HEADERS, "content-security-policy": pages.CONSOLE_POLICY}
        return Response(pages.file("console/console.html"), headers=headers, media_type=HTML)

    async def get_console_part(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in pages.CONSOLE_PARTS:
            raise Problem(Kind.NOT_FOUND, "no such path")
        media_type = "text/css" if name.endswith(".css") else "text/javascript"
        return Response(pages.file(f"console/{name}"), headers=HEADERS, media_type=media_type)

    return [
        Endpoint("/console", get_console, None, is_compressed=True),
        Endpoint("/console/{name}", get_console_part, None, is_compressed=True),
    ]
