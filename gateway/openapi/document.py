"""The document: every call with its parameters, its answers and what may go wrong with it."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from gateway import __version__
from gateway.openapi.operation import HTML, JSON, Answer, Described, Header, Operation, Parameter, Tag
from gateway.openapi.schemas import TEMPLATE, Schema, schemas
from gateway.openapi.security import Security
from gateway.openapi.shared import EXAMPLE, NOT_STORED, OF_EVERY_ANSWER, OF_EVERY_CALL_OF_THE_API
from gateway.problems.advice import advice
from gateway.problems.details import ProblemDetails
from gateway.problems.problem import Kind

PROBLEM: Final = "application/problem+json"
ABOUT: Final = """\
Are these two users connected? One answer for every platform that your users are on.

A platform answers as seen by one user, the **viewer**, and a credential determines who that is. `GET /v1/platforms`
says in `credentials` whose credential is used. With `caller` you send the viewer's own token, in the platform's own
header or in `X-Platform-Token`. With `obo`, and with `jwt` unless it is configured for one user, you name the
viewer in `X-On-Behalf-Of`. In all other modes the gateway has the credential of one user, and you send none.

If callers are configured, every call needs your `X-API-Key` as well.

Errors are problems (RFC 9457). A problem's `type` is a path below the gateway's base URL: the page there says what
it means and what to do. A path that does not support a method responds with 405 and `Allow`.
"""
TAGS: Final = {
    Tag.CONNECTIONS: "The viewer's connections, and actions on them.",
    Tag.PLATFORMS: "What is configured, and what this key may do.",
    Tag.OPERATION: "Probes and metrics.",
    Tag.CONTRACT: "This document, and what its problems mean.",
}
LINES: Final = "x-ndjson"
"""Where a response says what a line is, if it may be asked for in lines (`application/x-ndjson`).

Not among its `content`: clients that are generated have one type for all that stands there, and would have to tell
apart at each call what can only be the document. OpenAPI 3.2 has `itemSchema` for it, which they don't read yet.
"""
EVENTS: Final = "x-events"
"""Where a response says what the data of each server-sent event is: OpenAPI 3.1 has no place for it either."""
RETRY_AFTER: Final = Header("Retry-After", "Seconds to wait before trying again.", 7, always=False, type=int)
ALLOW: Final = Header("Allow", "The methods that this path supports.", "GET, HEAD")
CHALLENGE: Final = Header("WWW-Authenticate", "The credentials that are accepted.", "Bearer")
ALWAYS_LATER: Final = frozenset(
    {Kind.PLATFORM_THROTTLED, Kind.RATE_LIMITED, Kind.PLATFORM_UNAVAILABLE, Kind.OVERLOADED}
)
"""Problems that always say when to try again."""
PERHAPS_LATER: Final = ALWAYS_LATER | {Kind.PLATFORM_ERROR, Kind.PLATFORM_CREDENTIAL_REFUSED, Kind.PLATFORM_FORBIDDEN}


def document(endpoints: Iterable[Described], security: Security) -> bytes:
    """OpenAPI 3.1, as JSON."""
    calls = [(each, each.operation) for each in endpoints if each.operation is not None]
    known = _Types([operation for _, operation in calls])
    paths: dict[str, dict[str, Any]] = {}
    for endpoint, operation in calls:
        path = paths.setdefault(endpoint.path, {})
        path[endpoint.method.lower()] = _operation(endpoint.name, operation, known, security)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "connection-gateway",
                "version": __version__,
                "description": ABOUT,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": ".", "description": "The gateway that serves this document."}],
            "tags": [{"name": tag, "description": text} for tag, text in TAGS.items()],
            "paths": paths,
            "components": {
                "schemas": {**known.components, **_by_status(known.components["ProblemDetails"])},
                "securitySchemes": security.schemes,
                "examples": {kind.slug: {"summary": kind.title, "value": _example(kind)} for kind in Kind},
                "responses": {"MethodNotAllowed": _problems([Kind.METHOD_NOT_ALLOWED], known)},
            },
        }
    )


class _Types:
    """The schema of every type that an operation names."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        named = [ProblemDetails, str, int, *(each.body for each in operations if each.body is not None)]
        for each in operations:
            named += each.needs
            named += [parameter.type for parameter in each.parameters]
            for answer in each.answers.values():
                named += [] if answer.type is None else [answer.type]
                named += [*answer.lines, *answer.events.values(), *(header.type for header in answer.headers)]
        found, self.components = schemas(named)
        self._of = list(zip(named, found, strict=True))

    def of(self, wanted: Any) -> Schema:
        return next(schema for named, schema in self._of if named == wanted)


def _operation(name: str, operation: Operation, known: _Types, security: Security) -> dict[str, Any]:
    answers = {str(int(status)): _answer(answer, known, operation) for status, answer in operation.answers.items()}
    by_status = itertools.groupby(sorted(operation.problems, key=_order), key=lambda kind: kind.status)
    for status, kinds in by_status:
        problems = _problems(list(kinds), known, _everywhere(operation))
        if str(status) in answers:
            problems["content"] |= answers[str(status)]["content"]
            problems["description"] = f"{answers[str(status)]['description']}\n\n{problems['description']}"
        answers[str(status)] = problems
    described: dict[str, Any] = {
        "operationId": name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.details,
        "parameters": [_parameter(each, known) for each in operation.parameters],
        "security": security.of(operation),
        "responses": answers,
    }
    if operation.body is not None:
        example = msgspec.to_builtins(operation.body_example)
        body = {"schema": known.of(operation.body), "example": example}
        described["requestBody"] = {"required": True, "content": {JSON: body}}
    return described


def _order(kind: Kind) -> tuple[int, int]:
    return kind.status, list(Kind).index(kind)


def _parameter(each: Parameter, known: _Types) -> dict[str, Any]:
    found = {
        "name": each.name,
        "in": each.where,
        "required": each.required or each.where == "path",
        "description": each.what,
        "schema": known.of(each.type),
    }
    return found if each.example is None else {**found, "example": each.example}


def _answer(answer: Answer, known: _Types, operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": answer.what,
        "headers": _headers([*_everywhere(operation), *answer.headers], known),
    }
    if answer.type is not None:
        example = msgspec.to_builtins(answer.example)
        found["content"] = {answer.media_type: {"schema": known.of(answer.type), "example": example}}
    if answer.html:
        found["content"][HTML] = {"schema": known.of(str), "example": answer.html}
    if answer.lines:
        of_a_line = {"oneOf": [known.of(each) for each in answer.lines]}
        found[LINES] = {"schema": of_a_line, "example": answer.lines_example}
    if answer.events:
        found[EVENTS] = {name: known.of(each) for name, each in answer.events.items()}
    return found


def _problems(
    kinds: Collection[Kind], known: _Types, everywhere: Iterable[Header] = OF_EVERY_ANSWER
) -> dict[str, Any]:
    """The answer for these, which have one status."""
    status = next(iter(kinds)).status
    headers = [*everywhere, NOT_STORED]
    if any(kind in PERHAPS_LATER for kind in kinds):
        always = all(kind in ALWAYS_LATER for kind in kinds)
        headers.append(msgspec.structs.replace(RETRY_AFTER, always=always))
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append(CHALLENGE)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(ALLOW)
    lines = [f"- [`{kind.slug}`]({kind.link}): {advice()[kind].meaning}" for kind in kinds]
    examples = {kind.slug: {"$ref": f"#/components/examples/{kind.slug}"} for kind in kinds}
    return {
        "description": "\n".join(lines),
        "headers": _headers(headers, known),
        "content": {PROBLEM: {"schema": _refer_to(status), "examples": examples}},
    }


def _refer_to(status: int) -> Schema:
    return {"$ref": TEMPLATE.format(name=f"Problem{status}")}


def _by_status(general: Schema) -> dict[str, Schema]:
    """A schema for the problems of each status, flat: what generates clients reads no `allOf` of several."""
    found = {}
    for status, group in itertools.groupby(Kind, key=lambda kind: kind.status):
        kinds = list(group)
        properties = {
            **general["properties"],
            "type": {
                **general["properties"]["type"],
                "enum": [kind.link for kind in kinds],
                "x-enum-varnames": [kind.name for kind in kinds],
            },
            "status": {**general["properties"]["status"], "const": status},
        }
        required = list(general["required"])
        if Kind.ACTION_NOT_POSSIBLE in kinds:
            required.append("connection")
        if ALWAYS_LATER.issuperset(kinds):
            required.append("retry_after")
        title = f"Problem{status}"
        found[title] = {**general, "title": title, "properties": properties, "required": required}
    return found


def _headers(headers: Iterable[Header], known: _Types) -> dict[str, Any]:
    return {
        each.name: {
            "description": each.what,
            "required": each.always,
            "schema": known.of(each.type),
            "example": each.example,
        }
        for each in headers
    }


def _everywhere(operation: Operation) -> tuple[Header, ...]:
    """What the answers of this call always have."""
    return (*OF_EVERY_ANSWER, *OF_EVERY_CALL_OF_THE_API) if operation.needs_key else OF_EVERY_ANSWER


def _example(kind: Kind) -> dict[str, Any]:
    """A problem of this kind, as it might come."""
    document: dict[str, Any] = {
        "type": kind.link,
        "title": kind.title,
        "status": kind.status,
        "detail": f"{kind.title[0].lower()}{kind.title[1:]}",
        "instance": str(OF_EVERY_ANSWER[0].example),
        "retryable": kind.retryable,
    }
    if kind in ALWAYS_LATER:
        document["retry_after"] = RETRY_AFTER.example
    if kind is Kind.ACTION_NOT_POSSIBLE:
        document["connection"] = msgspec.to_builtins(EXAMPLE)
    return document
