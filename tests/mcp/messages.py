"""Messages of the Model Context Protocol, as a client sends them that has no library for it."""

from __future__ import annotations

import functools
from typing import Any, Final

import httpx
import jsonschema_rs

from gateway.api.audit import Audit
from gateway.api.mcp.tools import make_tools
from gateway.telemetry.log import Log

MCP: Final = "/mcp"
STATELESS: Final = "2026-07-28"
META: Final = {
    "io.modelcontextprotocol/protocolVersion": STATELESS,
    "io.modelcontextprotocol/clientCapabilities": {},
}


async def send(
    client: httpx.AsyncClient, method: str, headers: dict[str, str] | None = None, **params: Any
) -> httpx.Response:
    """A request of the stateless revision."""
    message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": {"_meta": META, **params}}
    repeated = {"MCP-Protocol-Version": STATELESS, "Mcp-Method": method}
    if "name" in params:
        repeated["Mcp-Name"] = params["name"]
    return await client.post(MCP, json=message, headers=repeated | (headers or {}))


async def send_after_handshake(client: httpx.AsyncClient, method: str, **params: Any) -> httpx.Response:
    """A request of the revision before, in which a client has shaken hands with `initialize`."""
    message = {"jsonrpc": "2.0", "id": "a", "method": method, "params": params}
    return await client.post(MCP, json=message, headers={"MCP-Protocol-Version": "2025-11-25"})


async def use(client: httpx.AsyncClient, tool: str, headers: dict[str, str] | None = None, **arguments: Any) -> Any:
    """The result of `tools/call`, of which the text and the structured content are the same."""
    answer = await send(client, "tools/call", headers, name=tool, arguments=arguments)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    result = answer.json()["result"]
    (content,) = result["content"]
    told = httpx.Response(200, text=content["text"]).json()
    if not result["isError"]:
        assert result["structuredContent"] == told
        validator(tool).validate(told)
    return told


@functools.cache
def validator(tool: str) -> jsonschema_rs.Validator:
    """Of what this tool returns, by its `outputSchema`."""
    (found,) = (each for each in make_tools(Audit(Log(str)), 1.0) if each.name == tool)
    return jsonschema_rs.validator_for(found.description()["outputSchema"], validate_formats=True)


async def tool_names(client: httpx.AsyncClient) -> list[str]:
    answer = await send(client, "tools/list")
    return [each["name"] for each in answer.json()["result"]["tools"]]
