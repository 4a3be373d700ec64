"""`POST /v1/lookup`: many users over any platforms, each alone in its failure."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.contract import Connection, PlatformError, Viewer
from gateway import problems
from gateway.platform import Platform
from gateway.problems import Kind, Problem
from gateway.routes import inputs
from gateway.routes.answers import reads
from gateway.telemetry.access import Access
from gateway.viewers import Viewers


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    platform: str
    user_id: str


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of the call."""

    users: list[Target]


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the two."""

    connection: Connection | None = None
    error: problems.Body | None = None


_DECODER: Final = msgspec.json.Decoder(Asked)


def routes(platforms: Mapping[str, Platform], viewers: Viewers, request_timeout: float) -> list[Route]:
    answer = reads(viewers.headers)

    async def lookup(request: Request) -> Response:
        inputs.only_query(request)
        targets = _targets(await request.body())
        deadline = inputs.deadline(request, request_timeout)
        wanted: dict[str, dict[int, None]] = {}
        for name, user_id in targets:
            if name in platforms:
                wanted.setdefault(name, {})[user_id] = None
        seen_as = viewers.of(request.headers, wanted)
        found = dict(
            await asyncio.gather(
                *(
                    _lookup(platforms[name], seen_as[name], tuple(user_ids), deadline)
                    for name, user_ids in wanted.items()
                )
            )
        )
        access = Access.of(request.scope)
        results = [
            _result(found[name] if name in found else inputs.unknown_platform(name), user_id, access)
            for name, user_id in targets
        ]
        return answer({"results": results})

    return [Route("/v1/lookup", lookup, methods=["POST"])]


Found = Mapping[int, Connection | PlatformError] | Problem


async def _lookup(
    platform: Platform, viewer: Viewer | Problem, user_ids: tuple[int, ...], deadline: float
) -> tuple[str, Found]:
    if isinstance(viewer, Problem):
        return platform.name, viewer
    return platform.name, await platform.lookup_many(viewer, user_ids, deadline)


def _result(found: Found, user_id: int, access: Access) -> Result:
    each = found if isinstance(found, Problem) else found[user_id]
    if isinstance(each, Connection):
        return Result(connection=each)
    problem = each if isinstance(each, Problem) else Problem.of(each)
    access.count(problem.kind.slug)
    return Result(error=problems.body(problem, access.request_id, user_id))


def _targets(body: bytes) -> list[tuple[str, int]]:
    users = inputs.decoded(body, _DECODER).users
    if not 1 <= len(users) <= inputs.MOST_USERS:
        raise Problem(Kind.INVALID_REQUEST, f"users: expected 1 to {inputs.MOST_USERS} entries, not {len(users)}")
    return [
        (user.platform, inputs.checked_user_id(user.user_id, f"users[{place}].user_id"))
        for place, user in enumerate(users)
    ]
