"""Parses the query of a list: filters, limit and cursor."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from starlette.requests import Request

from adapters.contract import Status
from adapters.user_ids import UserKey, parse_for
from gateway.api import inputs
from gateway.api.context import RequestContext
from gateway.platforms import cursors
from gateway.platforms.filters import Filters, listed_statuses
from gateway.platforms.listing import Place
from gateway.problems.problem import Kind, Problem

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 500
PARAMETERS: Final = ("platform", "status", "user_id", "limit", "cursor")


def read_filters(request: Request, context: RequestContext) -> Filters:
    """The filters. Checks also that the query has nothing else that a list does not know."""
    query = request.query_params
    named = query.getlist("platform")
    check_known(named, context)
    inputs.only_query(request, *PARAMETERS)
    return checked_filters(context, named, query.getlist("status"), query.getlist("user_id"))


def check_known(platforms: Iterable[str], context: RequestContext) -> None:
    """Raise the Problem `unknown-platform` for the first of these that is not configured."""
    for name in platforms:
        if name not in context.platforms:
            raise inputs.unknown_platform(name)


def checked_filters(
    context: RequestContext, platforms: Sequence[str], statuses: list[str], users: Iterable[str]
) -> Filters:
    """Without a platform's name, those that this caller may use."""
    wanted = platforms or [name for name in context.platforms if context.caller.may_use(name)]
    asked = tuple(name for name in context.platforms if name in wanted)
    return Filters(platforms=asked, user_ids=_user_ids(users, asked, context), statuses=_statuses(statuses))


def _user_ids(
    users: Iterable[str], platforms: Collection[str], context: RequestContext
) -> Mapping[str, tuple[UserKey, ...]]:
    texts = set(users)
    if not texts:
        return {}
    if len(texts) > inputs.MOST_USERS:
        raise Problem(Kind.INVALID_REQUEST, f"user_id: expected at most {inputs.MOST_USERS} users")
    try:
        return parse_for({name: inputs.user_ids(name, context) for name in platforms}, texts)
    except ValueError as error:
        raise Problem(Kind.INVALID_REQUEST, f"user_id: {error}") from error


def _statuses(words: list[str]) -> frozenset[Status]:
    try:
        return listed_statuses(words)
    except ValueError as error:
        raise Problem(Kind.INVALID_REQUEST, str(error)) from error


def read_limit(request: Request) -> int:
    """The most connections on a page."""
    text = _once(request, "limit")
    if text is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text) or int(text) > MAX_LIMIT:
        raise Problem(Kind.INVALID_REQUEST, f"limit: expected a number from 1 to {MAX_LIMIT}")
    return int(text)


def read_start(request: Request, filters: Filters) -> tuple[Place, ...]:
    """Where the page begins; empty: at the beginning."""
    return parse_cursor(_once(request, "cursor"), filters)


def parse_cursor(text: str | None, filters: Filters) -> tuple[Place, ...]:
    """Where the page begins that this cursor asks for. Raises the Problem `invalid-request`."""
    try:
        return () if text is None else cursors.decode(text, filters)
    except ValueError as error:
        raise Problem(Kind.INVALID_REQUEST, f"cursor: {error}") from error


def _once(request: Request, name: str) -> str | None:
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise Problem(Kind.INVALID_REQUEST, f"{name}: expected once")
    return values[0] if values else None
