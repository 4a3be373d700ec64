"""What a route says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, Protocol

import msgspec

from gateway.problems.problem import Kind

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
HTML: Final = "text/html; charset=utf-8"


class Tag(StrEnum):
    """What a call is about."""

    CONNECTIONS = "Connections"
    PLATFORMS = "Platforms"
    OPERATION = "Operation"
    CONTRACT = "Contract"


class Where(StrEnum):
    PATH = "path"
    QUERY = "query"
    HEADER = "header"


class Parameter(msgspec.Struct, frozen=True):
    """Something that a caller may send beside the body. `type` is msgspec's, with what it says of itself."""

    name: str
    where: Where
    type: Any
    what: str
    example: Any = None
    required: bool = False
    """where it is no part of the path, which all are required"""


class Header(msgspec.Struct, frozen=True):
    """Of an answer; `always` it is there, or where it applies."""

    name: str
    what: str
    example: str | int
    always: bool = True
    type: Any = str


class Answer(msgspec.Struct, frozen=True):
    """One that is no problem. `example` is an object of `type`, or text of another media type than JSON.

    `html` is an example of the page that a browser gets in its place. Without a `type` it has no body. `lines` are
    the types of a line where it may be asked for as `NDJSON`, with an example of a few.
    """

    what: str
    type: Any
    example: Any
    media_type: str = JSON
    headers: tuple[Header, ...] = ()
    html: str = ""
    lines: tuple[Any, ...] = ()
    lines_example: str = ""
    events: Mapping[str, Any] = {}
    """by name, the types of the data of server-sent events"""


class Operation(msgspec.Struct, frozen=True):
    """One call. `details` is in Markdown; `needs_key` where there are callers; `sees` where there is a viewer."""

    tag: Tag
    summary: str
    details: str
    answers: Mapping[HTTPStatus, Answer]
    problems: frozenset[Kind]
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    body_example: Any = None
    needs_key: bool = True
    sees: bool = True
    needs: tuple[type, ...] = ()
    """types that a schema of these refers to by name"""


class Described(Protocol):
    """A route that may say of itself what it does."""

    path: str
    method: str
    name: str
    operation: Operation | None


ALWAYS: Final = frozenset({Kind.INVALID_REQUEST, Kind.NOT_ALLOWED, Kind.INTERNAL_ERROR})
"""What can be wrong with any call. With another method it would be none of these calls."""
OF_PROBES: Final = ALWAYS - {Kind.NOT_ALLOWED}
"""What can be wrong with calls that any name and any page may make."""
OF_THE_API: Final = ALWAYS | {Kind.INVALID_API_KEY, Kind.RATE_LIMITED, Kind.OVERLOADED}
OF_ONE_PLATFORM: Final = OF_THE_API | {
    Kind.MISSING_CREDENTIAL,
    Kind.CREDENTIAL_REFUSED,
    Kind.PLATFORM_FORBIDDEN,
    Kind.NOT_FOUND,
    Kind.UNKNOWN_PLATFORM,
    Kind.USER_NOT_FOUND,
    Kind.PLATFORM_THROTTLED,
    Kind.PLATFORM_ERROR,
    Kind.PLATFORM_INVALID_ANSWER,
    Kind.PLATFORM_UNREACHABLE,
    Kind.PLATFORM_CREDENTIAL_REFUSED,
    Kind.PLATFORM_UNAVAILABLE,
    Kind.PLATFORM_TIMEOUT,
}
"""What can be wrong with one connection of one platform."""
