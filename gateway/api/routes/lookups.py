"""`POST /v1/lookup`: many users over any platforms, each alone in its failure.

Long, because it responds in two forms: one document, or lines as they become known.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import PlatformError, PlatformNameText, Viewer
from adapters.secret import RedactedRepr
from adapters.user_ids import UserId, UserKey
from gateway.api import inputs
from gateway.api.context import RequestContext
from gateway.api.endpoint import Endpoint
from gateway.api.ndjson import encode_lines, lines, merged
from gateway.api.request_record import RequestRecord
from gateway.api.responses import reads
from gateway.api.results import Failed, FailedLine, Found, FoundLine, LookupEnd, Results, failed
from gateway.config.caller_settings import Right
from gateway.openapi import shared
from gateway.openapi.operation import NDJSON, OF_THE_API, Answer, Operation, Tag
from gateway.platforms.lookup.lookups import Reading
from gateway.platforms.lookup.observer import NO_OBSERVER, LookupObserver
from gateway.platforms.lookup.origin import Origin
from gateway.platforms.platform import Platform
from gateway.problems.problem import Kind, Problem


class Target(RedactedRepr, msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user of a platform."""

    platform: PlatformNameText
    user_id: UserId


class LookupRequest(RedactedRepr, msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to look up."""

    users: Annotated[
        list[Target],
        msgspec.Meta(
            description="Over any platforms; one may be named more than once.",
            extra_json_schema={"minItems": 1, "maxItems": inputs.MOST_USERS},
        ),
    ]


class LookupResults(RedactedRepr, msgspec.Struct, frozen=True):
    """As many as users were named, in the same order."""

    results: Results


_DECODER: Final = msgspec.json.Decoder(LookupRequest)
OPERATION: Final = Operation(
    tag=Tag.CONNECTIONS,
    summary="Look up many connections",
    details="""\
Up to 1,000 users over any platforms, in as few calls as the platforms allow. Each is alone in its failure: an unknown
platform, a missing credential or what you are not allowed is that entry's `error`. What is malformed refuses the
whole call, and names the place.

With `Accept: application/x-ndjson` each result is a line of its own as soon as it is known, with the `index` of its
user, so that a slow platform holds up nobody else's. The last line counts them; where it is missing, the answer was
cut.""",
    parameters=(shared.FRESHNESS, *shared.HEADERS),
    body=LookupRequest,
    body_example=LookupRequest([Target("acme", "102"), Target("club", "7")]),
    answers={
        HTTPStatus.OK: Answer(
            "A result for each user. It is 200 also where all of them failed.",
            LookupResults,
            {"results": [{"connection": msgspec.to_builtins(shared.EXAMPLE)}]},
            headers=shared.OF_DOCUMENTS,
            lines=(FoundLine, FailedLine, LookupEnd),
            lines_example=encode_lines(
                [{"index": 0, "connection": msgspec.to_builtins(shared.EXAMPLE)}, LookupEnd(1)]
            ).decode(),
        )
    },
    problems=OF_THE_API | {Kind.PAYLOAD_TOO_LARGE},
    needs=(Found, Failed),
)


def routes(identities: Iterable[str], request_timeout: float) -> list[Endpoint]:
    identities = (*identities, "Accept")
    answer, stream = reads(identities), lines(identities)

    async def lookup_connections(request: Request) -> Response:
        context = RequestContext.of(request)
        context.record.asks_for("lookup")
        inputs.only_query(request)
        targets = checked_targets(inputs.decoded(await request.body(), _DECODER).users, context)
        deadline, since = inputs.deadline(context, request_timeout), inputs.since(context)
        if inputs.prefers(context, NDJSON):
            parts = _lines(targets, _asked(targets, context), deadline, since, context)
            return stream(await anext(parts), parts, deadline)
        results, readings = await look_up(context, targets, deadline, since)
        age, origin = _origin(readings)
        return answer(msgspec.json.encode(results), age, origin)

    return [Endpoint("/v1/lookup", lookup_connections, OPERATION, "POST", is_compressed=True)]


async def look_up(
    context: RequestContext, targets: Sequence[tuple[str, UserKey]], deadline: float, since: float
) -> tuple[LookupResults, list[Reading]]:
    """A result for each of the targets, and what was read for them."""
    parts = [_lookup(each, deadline, since, context) for each in _asked(targets, context)]
    found = dict(await asyncio.gather(*parts))
    _report(found, context.record)
    results = [
        _result(found[name] if name in found else inputs.unknown_platform(name), user_id, context.record)
        for name, user_id in targets
    ]
    readings = [each for some in found.values() if not isinstance(some, Problem) for each in some.values()]
    return LookupResults(results), [each for each in readings if isinstance(each, Reading)]


Answers = Mapping[UserKey, Reading | PlatformError] | Problem
PlatformTargets = tuple[Platform, Viewer | Problem, tuple[UserKey, ...]]


def _asked(targets: Sequence[tuple[str, UserKey]], context: RequestContext) -> list[PlatformTargets]:
    """The targets of each platform that is known, each once, and the viewer there."""
    wanted: dict[str, dict[UserKey, None]] = {}
    for name, user_id in targets:
        if name in context.platforms:
            wanted.setdefault(name, {})[user_id] = None
    seen_as = context.viewers(wanted, Right.READ)
    return [(context.platforms[name], seen_as[name], tuple(user_ids)) for name, user_ids in wanted.items()]


async def _lines(
    targets: Sequence[tuple[str, UserKey]],
    asked: Sequence[PlatformTargets],
    deadline: float,
    since: float,
    context: RequestContext,
) -> AsyncGenerator[bytes]:
    """A line for each of the targets, those together that are known together; then the last line."""
    places: dict[tuple[str, UserKey], list[int]] = {}
    for index, target in enumerate(targets):
        places.setdefault(target, []).append(index)
    known = {platform.name for platform, _, _ in asked}
    unknown = {target: inputs.unknown_platform(target[0]) for target in places if target[0] not in known}
    found: dict[str, dict[UserKey, Reading | PlatformError]] = {}
    refused: dict[str, Answers] = {}
    if unknown:
        yield encode_lines(
            _line(index, problem, target[1], context.record)
            for target, problem in unknown.items()
            for index in places[target]
        )
    async for name, part in merged([_parts(each, deadline, since, context) for each in asked]):
        if isinstance(part, Problem):
            refused[name] = part
            users: Iterable[UserKey] = [user_id for platform, user_id in places if platform == name]
        else:
            found.setdefault(name, {}).update(part)
            users = part
        yield encode_lines(
            _line(index, part, user_id, context.record) for user_id in users for index in places[name, user_id]
        )
    _report({**found, **refused}, context.record)
    yield encode_lines([LookupEnd(len(targets))])


async def _parts(
    asked: PlatformTargets, deadline: float, since: float, context: RequestContext
) -> AsyncGenerator[tuple[str, Answers]]:
    """What is known of one platform's users, part by part."""
    platform, viewer, user_ids = asked
    if isinstance(viewer, Problem):
        yield platform.name, viewer
        return
    observer = _observer(platform, viewer, context)
    async with contextlib.aclosing(
        platform.lookups.many_in_parts(viewer, user_ids, deadline, since, observer)
    ) as parts:
        async for part in parts:
            yield platform.name, part


def _line(index: int, found: Answers, user_id: UserKey, record: RequestRecord) -> FoundLine | FailedLine:
    result = _result(found, user_id, record)
    if isinstance(result, Found):
        return FoundLine(index=index, connection=result.connection)
    return FailedLine(index=index, error=result.error)


def _observer(platform: Platform, viewer: Viewer, context: RequestContext) -> LookupObserver:
    """The observer of this platform's part, where calls are traced."""
    if not context.is_traced:
        return NO_OBSERVER
    explainer = platform.explainer(viewer, context.received_at)
    context.record.observed_by(explainer)
    return explainer


def _report(found: Mapping[str, Answers], record: RequestRecord) -> None:
    """Report which platforms answered for nobody."""
    for name, each in found.items():
        if slug := _failure(each):
            record.ended_at(name, slug)


async def _lookup(
    asked: PlatformTargets, deadline: float, since: float, context: RequestContext
) -> tuple[str, Answers]:
    platform, viewer, user_ids = asked
    if isinstance(viewer, Problem):
        return platform.name, viewer
    observer = _observer(platform, viewer, context)
    return platform.name, await platform.lookups.many(viewer, user_ids, deadline, since, observer)


def _failure(found: Answers) -> str | None:
    """Why nobody could be answered there, if that is so; where the reasons differ, the first."""
    if isinstance(found, Problem):
        return found.kind.slug
    failed = [each for each in found.values() if isinstance(each, PlatformError)]
    return Problem.of(failed[0]).kind.slug if len(failed) == len(found) else None


def _result(found: Answers, user_id: UserKey, record: RequestRecord) -> Found | Failed:
    each = found if isinstance(found, Problem) else found[user_id]
    if isinstance(each, Reading):
        return Found(msgspec.Raw(each.body))
    return failed(each, user_id, record)


def _origin(readings: Sequence[Reading]) -> tuple[int, Origin]:
    """The age of the oldest, and where they came from, if it is the same for all; else some were asked for."""
    first = readings[0].origin if readings else Origin.MISS
    is_common = all(each.origin is first for each in readings)
    return max((each.age for each in readings), default=0), first if is_common else Origin.MISS


def checked_targets(users: Sequence[Target], context: RequestContext) -> list[tuple[str, UserKey]]:
    """The users, parsed. Raises the Problem `invalid-request`."""
    if not 1 <= len(users) <= inputs.MOST_USERS:
        raise Problem(Kind.INVALID_REQUEST, f"users: expected 1 to {inputs.MOST_USERS} entries, not {len(users)}")
    user_ids = {name: inputs.user_ids(name, context) for name in {user.platform for user in users}}
    return [
        (user.platform, inputs.checked_user_id(user.user_id, f"users[{place}].user_id", user_ids[user.platform]))
        for place, user in enumerate(users)
    ]
