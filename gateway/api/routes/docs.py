"""`GET /`, `/openapi.json`, `/docs` and `/problems/{slug}`: what the API promises, for machines and for people."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import described
from gateway import __version__, pages
from gateway.api import inputs
from gateway.api.endpoint import Endpoint
from gateway.api.request_record import REQUEST_RECORD
from gateway.openapi import shared
from gateway.openapi.operation import ALWAYS, HTML, JSON, Answer, Header, Operation, Parameter, Tag, Where
from gateway.problems.problem import Kind, Problem

CHECKED: Final = Header("Cache-Control", "It may be stored, and must be revalidated.", "no-cache")
POLICY: Final = Header(
    "Content-Security-Policy", "The page loads nothing from other hosts, and runs no inline scripts.", pages.POLICY
)
HEADERS: Final = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
NOT_GUESSED: Final = Header("X-Content-Type-Options", "It is what `Content-Type` says.", "nosniff")
Slug = Annotated[str, Meta(extra_json_schema={"enum": [kind.slug for kind in Kind]})]


def _says(summary: str, details: str, answer: Answer, *parameters: Parameter, problems: frozenset[Kind]) -> Operation:
    return Operation(
        tag=Tag.CONTRACT,
        summary=summary,
        details=details,
        parameters=(*parameters, shared.REQUEST_ID),
        answers={HTTPStatus.OK: answer},
        problems=problems,
        needs_key=False,
    )


def _page(what: str) -> Answer:
    return Answer(what, str, "<!DOCTYPE html>…", HTML, headers=(CHECKED, POLICY, NOT_GUESSED))


class Links(msgspec.Struct, frozen=True):
    """Where to go on, seen from this address."""

    docs: Annotated[str, described("Every call, for people.")] = "docs"
    openapi: Annotated[str, described("Every call, for programs.")] = "openapi.json"
    platforms: Annotated[str, described("What is configured.")] = "v1/platforms"
    me: Annotated[str, described("What you may do.")] = "v1/me"


class Index(msgspec.Struct, frozen=True):
    """What answers here."""

    name: Annotated[str, described("Always the same.")]
    version: Annotated[str, described("The gateway's.")]
    links: Links


INDEX: Final = Index("connection-gateway", __version__, Links())
ROOT: Final = _says(
    "Start page",
    "A short page for browsers, and the same in JSON for everybody else.",
    Answer(
        "What answers here, and where to go on.",
        Index,
        INDEX,
        JSON,
        headers=(
            CHECKED,
            msgspec.structs.replace(POLICY, always=False),
            msgspec.structs.replace(NOT_GUESSED, always=False),
        ),
        html="<!DOCTYPE html>…",
    ),
    problems=ALWAYS,
)
OPENAPI: Final = _says(
    "The OpenAPI document",
    "OpenAPI 3.1.",
    Answer("The document.", dict[str, Any], {"openapi": "3.1.0", "…": "…"}, JSON, headers=(CHECKED,)),
    problems=ALWAYS,
)
DOCS: Final = _says(
    "The documentation page", "A page that shows every call, and makes it.", _page("The page."), problems=ALWAYS
)
PROBLEM: Final = _says(
    "Explain a problem",
    "For people: what the caller can do, and what whoever runs the gateway can do.",
    _page("The page."),
    Parameter("slug", Where.PATH, Slug, "The last part of a problem's `type`.", "platform-timeout"),
    problems=ALWAYS | {Kind.NOT_FOUND},
)


def routes(document: Callable[[], bytes], *, has_console: bool) -> list[Endpoint]:
    """`document` gives the one for this gateway. The start page links to the console if there is one."""

    async def get_index(request: Request) -> Response:
        if inputs.prefers(request.scope[REQUEST_RECORD], "text/html"):
            found = _html(pages.index(has_console=has_console))
        else:
            found = Response(msgspec.json.encode(INDEX), headers={"cache-control": "no-cache"}, media_type=JSON)
        found.headers["vary"] = "Accept"
        return found

    async def get_openapi(_request: Request) -> Response:
        return Response(document(), headers={"cache-control": "no-cache"}, media_type=JSON)

    async def get_docs(_request: Request) -> Response:
        return _html(pages.file("docs.html"))

    async def get_part(request: Request) -> Response:
        name = request.path_params["name"]
        media_type = pages.PARTS.get(name)
        if media_type is None:
            raise Problem(Kind.NOT_FOUND, "no such path")
        return Response(pages.file(name), headers=HEADERS, media_type=media_type)

    async def get_problem(request: Request) -> Response:
        for kind in Kind:
            if kind.slug == request.path_params["slug"]:
                return _html(pages.problem(kind))
        raise Problem(Kind.NOT_FOUND, f"no such problem: expected one of {', '.join(kind.slug for kind in Kind)}")

    return [
        Endpoint("/", get_index, ROOT, is_compressed=True),
        Endpoint("/openapi.json", get_openapi, OPENAPI, is_compressed=True),
        Endpoint("/docs", get_docs, DOCS, is_compressed=True),
        Endpoint("/docs/{name}", get_part, None, is_compressed=True),
        Endpoint("/problems/{slug}", get_problem, PROBLEM, is_compressed=True),
    ]


def _html(page: bytes) -> Response:
    return Response(page, headers={**HEADERS, "content-security-policy": pages.POLICY}, media_type=HTML)
