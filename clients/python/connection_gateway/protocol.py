"""Requests and how their answers are read, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar
from urllib.parse import urlencode

import msgspec

from connection_gateway.errors import UnexpectedAnswer
from connection_gateway.identity import platform_name, user_id
from connection_gateway.models import Action, Connection, Platform, Status
from connection_gateway.problems import Details, Problem, problem

T = TypeVar("T")
Pair = tuple[str, int | str]
Target = tuple[str, str]
"""A pair that was checked."""
MOST_USERS: Final = 1000
"""Users that one request can be about."""


@dataclass(frozen=True)
class Request:
    """One request to the gateway.

    `repeatable`: sending it twice does no more than sending it once. `platforms`: it is not sent while one of these
    is not to be asked.
    """

    method: str
    path: str
    body: bytes | None = None
    repeatable: bool = True
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A response. `retry_after` is in seconds."""

    status: int
    retry_after: int | None
    body: bytes = field(repr=False)


class Result(msgspec.Struct):
    connection: Connection | None = None
    error: Details | None = None


class Results(msgspec.Struct):
    results: list[Result]


class Page(msgspec.Struct):
    connections: list[Connection]
    errors: list[Details]
    next_cursor: str | None


class Platforms(msgspec.Struct):
    platforms: list[Platform]


def lookup(platform: str, user: int | str) -> Request:
    path = f"/v1/connections/{platform_name(platform)}/{user_id(user)}"
    return Request("GET", path, platforms=(platform,))


def checked(users: Iterable[Pair]) -> list[Target]:
    """ValueError for a platform's name or a user id that can't be one."""
    return [(platform_name(name), user_id(user)) for name, user in users]


def lookup_many(users: Iterable[Target]) -> Request:
    """One request for up to a thousand users."""
    entries = [{"platform": name, "user_id": user} for name, user in users]
    platforms = tuple({each["platform"]: None for each in entries})
    return Request("POST", "/v1/lookup", msgspec.json.encode({"users": entries}), platforms=platforms)


def page(platforms: Sequence[str], statuses: Sequence[Status], cursor: str | None) -> Request:
    """One request for a page. A list over several platforms is not held back by one of them.

    ValueError for a status that is none.
    """
    query = [("platform", platform_name(each)) for each in platforms] + [
        ("status", Status(each).value) for each in statuses
    ]
    if cursor is not None:
        query.append(("cursor", cursor))
    path = f"/v1/connections?{urlencode(query)}" if query else "/v1/connections"
    return Request("GET", path, platforms=tuple(platforms) if len(platforms) == 1 else ())


def act(platform: str, user: int | str, action: Action) -> Request:
    if action not in {"request", "accept", "reject", "cancel", "remove"}:
        raise ValueError(f"an action is request, accept, reject, cancel or remove, not {action!r}")
    path = f"/v1/connections/{platform_name(platform)}/{user_id(user)}/{action}"
    return Request("POST", path, repeatable=False, platforms=(platform,))


def read(answer: Answer, kind: type[T]) -> T:
    """The answer as this type, or raise the problem that it tells."""
    try:
        if answer.status == 200:
            return msgspec.json.decode(answer.body, type=kind)
        told = problem(msgspec.json.decode(answer.body, type=Details))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        hint = "is the URL a gateway's, and this client as new as the gateway?"
        raise UnexpectedAnswer(f"an answer with status {answer.status} can't be read: {hint} ({error})") from error
    raise told


def read_results(results: Results, expected: int) -> list[Connection | Problem]:
    """The result of each user. UnexpectedAnswer if there are more or fewer than expected."""
    found: list[Connection | Problem] = []
    for result in results.results:
        if result.connection is not None:
            found.append(result.connection)
        elif result.error is not None:
            found.append(problem(result.error))
    if len(found) != expected:
        raise UnexpectedAnswer(f"the gateway answered for {len(found)} of {expected} users")
    return found
