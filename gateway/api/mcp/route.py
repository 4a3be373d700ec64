"""`POST /mcp`: the Model Context Protocol, for agents. It is off unless `server.mcp` is set.

It is not in `/openapi.json`: it describes itself, in `server/discover` and `tools/list`, to those who speak it.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import InvalidPosition, PlatformError
from gateway import __version__
from gateway.api import inputs
from gateway.api.audit import Audit
from gateway.api.context import RequestContext
from gateway.api.endpoint import Endpoint
from gateway.api.mcp.messages import (
    SUPPORTED,
    WITH_HANDSHAKE,
    ErrorCode,
    Params,
    ProtocolError,
    is_stateless,
    parse_message,
    parse_params,
)
from gateway.api.mcp.tools import make_tools
from gateway.api.responses import answer
from gateway.api.results import as_details
from gateway.problems.problem import Problem, as_problem

SERVER: Final = {"name": "connection-gateway", "version": __version__}
INSTRUCTIONS: Final = """\
Tells where a user stands with other users on the configured platforms, and acts on their connections. User ids are
opaque strings; the same id on another platform is another person. A failure is a problem: read its `detail`, and
try again only where `retryable` is true, after `retry_after` seconds. Act only on users whom you were asked to."""
ABOUT: Final = {"capabilities": {"tools": {}}, "instructions": INSTRUCTIONS}
OF_RESULTS: Final = {"resultType": "complete", "_meta": {"io.modelcontextprotocol/serverInfo": SERVER}}
CACHED: Final = {"ttlMs": 60_000, "cacheScope": "private"}
"""How long clients may keep what the server says of itself: a caller's rights can change."""
NOT_STORED: Final = {"cache-control": "no-store"}


class Mcp:
    """Answers messages, each from what it says itself: there are no sessions."""

    def __init__(self, audit: Audit, request_timeout: float) -> None:
        self._tools = {each.name: each for each in make_tools(audit, request_timeout)}
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {
            name: msgspec.json.Decoder(each.arguments) for name, each in self._tools.items()
        }
        self._description = functools.cache(lambda name: self._tools[name].description())

    async def mcp(self, request: Request) -> Response:
        context = RequestContext.of(request)
        inputs.only_query(request)
        body = await request.body()
        try:
            message = parse_message(body)
        except ProtocolError as failure:
            return _failed(failure, UNSET, 400)
        if message.id is UNSET:
            return Response(status_code=202, headers=NOT_STORED)
        stateless = True
        try:
            params = parse_params(message)
            stateless = is_stateless(message, params, context.headers)
            result = await self._result(message.method, params, context, stateless=stateless)
        except ProtocolError as failure:
            status = 404 if failure.code is ErrorCode.METHOD_NOT_FOUND else 400
            # After a handshake a 404 would end the session, and other statuses mean less than the error.
            return _failed(failure, message.id, status if stateless else 200)
        result = OF_RESULTS | result if stateless else result
        return answer({"jsonrpc": "2.0", "id": message.id, "result": result}, NOT_STORED)

    async def _result(
        self, method: str, params: Params, context: RequestContext, *, stateless: bool
    ) -> dict[str, Any]:
        match method:
            case "server/discover" if stateless:
                return {"supportedVersions": SUPPORTED, **ABOUT, **CACHED}
            case "initialize":
                asked = params.protocol_version
                version = asked if asked in WITH_HANDSHAKE else WITH_HANDSHAKE[0]
                return {"protocolVersion": version, "serverInfo": SERVER, **ABOUT}
            case "ping" if not stateless:
                return {}
            case "tools/list":
                return {"tools": self._listed(params, context)} | (CACHED if stateless else {})
            case "tools/call":
                return await self._called(params, context)
        raise ProtocolError(ErrorCode.METHOD_NOT_FOUND, "Method not found")

    def _listed(self, params: Params, context: RequestContext) -> list[dict[str, Any]]:
        """The tools that this caller has the right to use."""
        if params.cursor is not None:
            raise ProtocolError(ErrorCode.INVALID_PARAMS, "cursor: expected none, since there is one page")
        rights = {None, *context.caller.rights}
        return [self._description(name) for name, tool in self._tools.items() if tool.right in rights]

    async def _called(self, params: Params, context: RequestContext) -> dict[str, Any]:
        """What a tool returns; where it fails, the problem."""
        tool = self._tools.get(params.name or "")
        if tool is None:
            raise ProtocolError(ErrorCode.INVALID_PARAMS, "name: expected a tool of tools/list")
        try:
            given = inputs.decoded(bytes(params.arguments), self._decoders[tool.name], "arguments")
            body = await tool.run(context, given)
        except (Problem, PlatformError, InvalidPosition) as error:
            problem = as_problem(error)
            context.record.ended_in(problem)
            told = msgspec.json.encode(as_details(problem, context.record))
            return {"content": _text(told), "isError": True}
        return {"content": _text(body), "structuredContent": msgspec.Raw(body), "isError": False}


def routes(audit: Audit, request_timeout: float) -> list[Endpoint]:
    return [Endpoint("/mcp", Mcp(audit, request_timeout).mcp, None, "POST", is_compressed=True)]


def _text(body: bytes) -> list[dict[str, str]]:
    return [{"type": "text", "text": body.decode()}]


def _failed(failure: ProtocolError, message_id: int | str | UnsetType, status: int) -> Response:
    known = {} if message_id is UNSET else {"id": message_id}
    return answer({"jsonrpc": "2.0", **known, "error": failure.error}, NOT_STORED, status)
