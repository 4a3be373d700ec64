"""`GET /client/{name}`: the JavaScript client for web pages of any origin. The files are public and static."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from gateway.api import conditional
from gateway.api.compression import takes_gzip
from gateway.api.endpoint import Endpoint
from gateway.api.request_record import REQUEST_RECORD
from gateway.api.routes.docs import CHECKED, NOT_GUESSED
from gateway.openapi import shared
from gateway.openapi.operation import ALWAYS, Answer, Header, Operation, Parameter, Tag, Where
from gateway.pages import client
from gateway.problems.problem import Kind, Problem

JAVASCRIPT: Final = "text/javascript; charset=utf-8"
IMMUTABLE: Final = "public, max-age=31536000, immutable"
PUBLIC: Final = {
    "access-control-allow-origin": "*",
    "vary": "Accept-Encoding",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
}
HEADERS: Final = (
    CHECKED,
    NOT_GUESSED,
    Header("Access-Control-Allow-Origin", "Pages of any origin may load it.", "*"),
    Header("Cross-Origin-Resource-Policy", "Pages of any origin may embed it.", "cross-origin"),
    Header("ETag", "Changes with the file.", 'W/"3f6b0c1d2e4a5b6c7d8e9f00"'),
)
OPERATION: Final = Operation(
    tag=Tag.CONTRACT,
    summary="The JavaScript client",
    details="ES modules: `element.js` defines `<connection-status>`; it and `watch.js` import `gateway.js`.",
    parameters=(
        Parameter(
            "name",
            Where.PATH,
            Annotated[str, Meta(extra_json_schema={"enum": list(client.NAMES)})],
            "The file.",
            "element.js",
        ),
        Parameter("If-None-Match", Where.HEADER, str, "The `ETag` of the copy that you have.", HEADERS[-1].example),
        shared.REQUEST_ID,
    ),
    answers={
        HTTPStatus.OK: Answer("The file.", str, "export class …", JAVASCRIPT, headers=HEADERS),
        HTTPStatus.NOT_MODIFIED: Answer("Your copy is current.", None, None, headers=HEADERS),
    },
    problems=ALWAYS | {Kind.NOT_FOUND},
    needs_key=False,
)


def routes() -> list[Endpoint]:
    async def get_client_file(request: Request) -> Response:
        file = _file(request)
        headers = {**PUBLIC, "cache-control": "no-cache", "etag": file.etag}
        if conditional.is_known(request.scope[REQUEST_RECORD].headers, file.etag.encode()):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return _answer(request, file, headers)

    async def get_immutable_client_file(request: Request) -> Response:
        file = _file(request)
        if request.path_params["version"] != client.version():
            raise Problem(Kind.NOT_FOUND, "no such version of the client")
        return _answer(request, file, {**PUBLIC, "cache-control": IMMUTABLE})

    return [
        Endpoint("/client/{name}", get_client_file, OPERATION),
        Endpoint("/client-{version}/{name}", get_immutable_client_file, None),
    ]


def _file(request: Request) -> client.ClientFile:
    file = client.files().get(request.path_params["name"])
    if file is None:
        raise Problem(Kind.NOT_FOUND, "no such path")
    return file


def _answer(request: Request, file: client.ClientFile, headers: dict[str, str]) -> Response:
    """The file, compressed in advance and as small as gzip makes it."""
    if takes_gzip(request.scope):
        return Response(file.gzipped, headers={**headers, "content-encoding": "gzip"}, media_type=JAVASCRIPT)
    return Response(file.content, headers=headers, media_type=JAVASCRIPT)
