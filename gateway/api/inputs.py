"""Parses what a caller sends. All of these functions raise a Problem, most often `invalid-request`."""

from __future__ import annotations

import math
import re
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request

from adapters.mismatch import mismatch
from adapters.settings import PLATFORM_NAME
from adapters.user_ids import ANY_KIND, UserIds, UserKey
from gateway.api.context import RequestContext
from gateway.openapi.operation import JSON
from gateway.platforms.platform import Platform
from gateway.platforms.staleness import ANY_TIME
from gateway.problems.problem import Kind, Problem

T = TypeVar("T")
MOST_USERS: Final = 1000
"""Users that one call can be about."""
NO_JSON: Final = "expected JSON"
"""What a problem says of a body that is none."""
_QUALITY: Final = re.compile(r"[01](?:\.[0-9]{0,3})?")
_PLATFORM: Final = re.compile(PLATFORM_NAME)
_NAME: Final = re.compile(r"[A-Za-z_-]{1,32}")
_UNKNOWN_FIELD: Final = re.compile(r"Object contains unknown field `([A-Za-z_-]{1,32})`")


def platform(request: Request, context: RequestContext) -> Platform:
    """The platform in the path, or `unknown-platform`."""
    return known_platform(request.scope["path_params"]["platform"], context)


def known_platform(name: str, context: RequestContext) -> Platform:
    """The platform of this name, or `unknown-platform`."""
    found = context.snapshot.platforms.get(name)
    if found is None:
        raise unknown_platform(name)
    context.record.concerns(platform=found.name)
    return found


def unknown_platform(name: str) -> Problem:
    """It says which, if that could be a platform's name."""
    detail = "no platform of this name is configured: see /v1/platforms"
    return Problem(Kind.UNKNOWN_PLATFORM, detail, platform=name if _PLATFORM.fullmatch(name) else None)


def user_id(request: Request, context: RequestContext, platform: Platform) -> UserKey:
    """The user in the path."""
    found = checked_user_id(request.scope["path_params"]["user_id"], "user_id", platform.adapter.USER_IDS)
    context.record.concerns(user_id=found)
    return found


def user_ids(name: str, context: RequestContext) -> UserIds:
    """The grammar of user ids on the platform of this name, also where there is none."""
    found = context.platforms.get(name)
    return ANY_KIND if found is None else found.adapter.USER_IDS


def checked_user_id(text: str, where: str, user_ids: UserIds) -> UserKey:
    try:
        return user_ids.parse(text)
    except ValueError as error:
        raise Problem(Kind.INVALID_REQUEST, f"{where}: {error}") from error


def only_query(request: Request, *names: str) -> None:
    """Refuse any parameter but these. Its name is told if it looks like one: it could be anything."""
    if not request.scope["query_string"]:
        return
    for name in request.query_params:
        if name not in names:
            which = f" {name!r}" if _NAME.fullmatch(name) else ""
            expected = f"some of {', '.join(names)}" if names else "none here"
            raise Problem(Kind.INVALID_REQUEST, f"query: unknown parameter{which}, expected {expected}")


def flag(request: Request, name: str) -> bool:
    """Whether the query says `name=true`."""
    match request.query_params.getlist(name):
        case [] | ["false"]:
            return False
        case ["true"]:
            return True
    raise Problem(Kind.INVALID_REQUEST, f"{name}: expected true or false, once")


def deadline(context: RequestContext, longest: float) -> float:
    """The `loop.time()` until which this caller waits: `X-Request-Timeout-Ms`, at most `longest` seconds."""
    seconds = longest
    if b"x-request-timeout-ms" in context.headers:
        text = context.headers.single("X-Request-Timeout-Ms") or ""
        if not (text.isascii() and text.isdigit()) or not (given := int(text.lstrip("0")[:9] or 0)):
            raise Problem(
                Kind.INVALID_REQUEST, "X-Request-Timeout-Ms: expected a whole number of milliseconds above 0"
            )
        seconds = min(given / 1000, longest)
    return context.received_at + seconds


def since(context: RequestContext) -> float:
    """The `loop.time()` from when an answer has to be: `Cache-Control: no-cache` or `max-age=N`; else `ANY_TIME`."""
    if b"cache-control" not in context.headers:
        return ANY_TIME
    given = context.headers.every("cache-control")
    now = context.received_at
    oldest = ANY_TIME
    for directive in ",".join(given).split(","):
        name, _, value = directive.strip(" \t").lower().partition("=")
        if name == "no-cache":
            oldest = math.nextafter(now, math.inf)
        elif name == "max-age":
            seconds = value.strip('"')
            if not (seconds.isascii() and seconds.isdigit()):
                raise Problem(Kind.INVALID_REQUEST, "Cache-Control: expected max-age=N, in whole seconds")
            age = min(float(seconds[:12]), now)
            oldest = max(oldest, now - age if age else math.nextafter(now, math.inf))
    return oldest


def prefers(context: RequestContext, media_type: str) -> bool:
    """Whether `Accept` names this media type, and `application/json` not before it."""
    if b"accept" not in context.headers:
        return False
    ranges = ",".join(context.headers.every("accept")).lower().split(",")
    quality = {each.partition(";")[0].strip(): _quality(each) for each in ranges}
    return quality.get(media_type, 0.0) > 0 and quality[media_type] >= quality.get(JSON, 0.0)


def _quality(media_range: str) -> float:
    for parameter in media_range.split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            return float(value) if _QUALITY.fullmatch(value) else 0.0
    return 1.0


def decoded(body: bytes, decoder: msgspec.json.Decoder[T], where: str = "body") -> T:
    """The body as `decoder` types it; the problem names the place where it does not fit, and quotes no value.

    `where` names the whole, if it is a part of the body.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        unknown = _UNKNOWN_FIELD.match(str(error))
        place, what = mismatch(error, f"unknown field `{unknown[1]}`" if unknown else "unknown field")
        what = what.replace("`str`", "`string`").replace("`int`", "`number`")
        raise Problem(Kind.INVALID_REQUEST, f"{place or where}: {what}") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Problem(Kind.INVALID_REQUEST, f"{where}: {NO_JSON}") from None
