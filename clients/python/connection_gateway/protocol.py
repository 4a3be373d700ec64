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
MOST_USERS: Final = 1000
"""Users that one request can be about."""


@dataclass(frozen=True)
class Request:
    """One request to the gateway. `repeatable`: sending it twice does no more than sending it once."""

    method: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    repeatable: bool = True


@dataclass(frozen=True)
class Answer:
    status: int
    retry_after: str | None
    body: bytes


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
    return Request("GET", f"/v1/connections/{platform_name(platform)}/{user_id(user)}")


def lookup_many(users: Iterable[Pair]) -> list[Request]:
    """One request for each thousand."""
    entries = [{"platform": platform_name(name), "user_id": user_id(user)} for name, user in users]
    parts = [entries[start : start + MOST_USERS] for start in range(0, len(entries), MOST_USERS)]
    return [Request("POST", "/v1/lookup", msgspec.json.encode({"users": part})) for part in parts]


def page(platforms: Sequence[str], statuses: Sequence[Status], cursor: str | None) -> Request:
    query = [("platform", platform_name(each)) for each in platforms] + [("status", each.value) for each in statuses]
    if cursor is not None:
        query.append(("cursor", cursor))
    return Request("GET", f"/v1/connections?{urlencode(query)}" if query else "/v1/connections")


def act(platform: str, user: int | str, action: Action) -> Request:
    if action not in {"request", "accept", "reject", "cancel", "remove"}:
        raise ValueError(f"an action is request, accept, reject, cancel or remove, not {action!r}")
    path = f"/v1/connections/{platform_name(platform)}/{user_id(user)}/{action}"
    return Request("POST", path, repeatable=False)


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


def results(answer: Answer, expected: int) -> list[Connection | Problem]:
    found: list[Connection | Problem] = []
    for each in read(answer, Results).results:
        if each.connection is not None:
            found.append(each.connection)
        elif each.error is not None:
            found.append(problem(each.error))
    if len(found) != expected:
        raise UnexpectedAnswer(f"the gateway answered for {len(found)} of {expected} users")
    return found
