"""The tools that agents are offered. Each calls the function that its route under `/v1` calls."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, get_args

import msgspec

from adapters.contract import Action, Connection, PlatformNameText, described
from adapters.secret import RedactedRepr
from adapters.user_ids import UserId, UserKey
from gateway.api import inputs, list_query
from gateway.api.audit import Audit
from gateway.api.context import RequestContext
from gateway.api.mcp.output_schemas import output_schema
from gateway.api.routes import actions, connections, lists, lookups, platforms
from gateway.config.caller_settings import Right
from gateway.platforms.platform import Platform
from gateway.platforms.platform_page import PageQuery
from gateway.problems.problem import Kind

ListedStatus = Annotated[str, msgspec.Meta(extra_json_schema={"enum": get_args(lists.ListedStatus)})]


class NoArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """It takes none."""


class ListArguments(RedactedRepr, msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which connections to list."""

    platforms: Annotated[list[PlatformNameText], described("Only these platforms. By default all.")] = []
    statuses: Annotated[list[ListedStatus], described("Without it both pending ones.")] = []
    user_ids: Annotated[list[UserId], described("Only these users.")] = []
    limit: Annotated[int, msgspec.Meta(ge=1, le=list_query.MAX_LIMIT)] = list_query.DEFAULT_LIMIT
    cursor: Annotated[str | None, described("The `next_cursor` of the page before; all else as it was.")] = None


class ActArguments(RedactedRepr, msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An action on one user of a platform."""

    platform: PlatformNameText
    user_id: UserId
    action: Annotated[str, described("One of the connection's `actions`.", enum=list(Action))]


class Tool(msgspec.Struct, frozen=True):
    """Something that an agent can do, if its caller has the `right`.

    `run` takes `arguments` and returns `result` as JSON, as the API does. Its docstring is what agents read.
    """

    run: Callable[[RequestContext, Any], Awaitable[bytes]]
    right: Right | None
    arguments: type
    result: type

    @property
    def name(self) -> str:
        return self.run.__name__

    def description(self) -> dict[str, Any]:
        """Its entry in `tools/list`."""
        acts = self.right is Right.ACT
        _, types = msgspec.json.schema_components([self.arguments], ref_template="#/$defs/{name}")
        root = types.pop(self.arguments.__name__)
        return {
            "name": self.name,
            "description": " ".join(inspect.cleandoc(self.run.__doc__ or "").split()),
            "inputSchema": {**root, "$defs": types} if types else root,
            "outputSchema": output_schema(self.result),
            "annotations": {"readOnlyHint": not acts, "destructiveHint": acts, "idempotentHint": True},
        }


def make_tools(audit: Audit, request_timeout: float) -> list[Tool]:
    """All of them, in the order in which they are listed."""

    async def list_platforms(context: RequestContext, _: NoArguments) -> bytes:
        """List the platforms that can be asked, the actions that each offers, and whether it is up."""
        return msgspec.json.encode(platforms.platform_list(context))

    async def list_connections(context: RequestContext, given: ListArguments) -> bytes:
        """List the viewer's connections over all platforms, by default the pending requests. Where `complete` is
        false, `errors` says what is missing. Read on with `next_cursor` until it is null.
        """
        context.record.asks_for("list")
        list_query.check_known(given.platforms, context)
        filters = list_query.checked_filters(context, given.platforms, given.statuses, given.user_ids)
        start = list_query.parse_cursor(given.cursor, filters)
        page, _ = await lists.read_page(context, start, PageQuery(filters, given.limit, *times(context)))
        return msgspec.json.encode(page)

    async def lookup_connections(context: RequestContext, given: lookups.LookupRequest) -> bytes:
        """Tell where the viewer stands with up to 1,000 users: a result for each, in the same order."""
        context.record.asks_for("lookup")
        found, _ = await lookups.look_up(context, lookups.checked_targets(given.users, context), *times(context))
        return msgspec.json.encode(found)

    async def explain_connection(context: RequestContext, given: lookups.Target) -> bytes:
        """Look up one user, and tell how the answer came to be: cache, retries, circuit breaker, times."""
        context.record.asks_for("lookup")
        platform, user_id = target(context, given)
        deadline, since = times(context)
        return connections.explained_body(
            *await connections.read_explained(context, platform, user_id, deadline, since, explains=True)
        )

    async def act_on_connection(context: RequestContext, given: ActArguments) -> bytes:
        """Request, accept, reject, cancel or remove a connection. Choose one of the connection's `actions`. What is
        as wanted already is left as it is. After `outcome-unknown`, look the user up before you try again.
        """
        action = actions.parse_action(given.action, Kind.INVALID_REQUEST)
        context.record.asks_for(action)
        platform, user_id = target(context, given)
        deadline, until = inputs.deadline(context, request_timeout), context.received_at + request_timeout
        found = await actions.act(context, audit, platform, user_id, action, deadline=deadline, until=until)
        return msgspec.json.encode(found)

    def times(context: RequestContext) -> tuple[float, float]:
        return inputs.deadline(context, request_timeout), inputs.since(context)

    def target(context: RequestContext, given: lookups.Target | ActArguments) -> tuple[Platform, UserKey]:
        platform = inputs.known_platform(given.platform, context)
        user_id = inputs.checked_user_id(given.user_id, "user_id", platform.adapter.USER_IDS)
        context.record.concerns(user_id=user_id)
        return platform, user_id

    return [
        Tool(list_platforms, None, NoArguments, platforms.PlatformList),
        Tool(list_connections, Right.READ, ListArguments, lists.ConnectionList),
        Tool(lookup_connections, Right.READ, lookups.LookupRequest, lookups.LookupResults),
        Tool(explain_connection, Right.READ, lookups.Target, connections.ExplainedConnection),
        Tool(act_on_connection, Right.ACT, ActArguments, Connection),
    ]
