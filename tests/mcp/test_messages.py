"""`POST /mcp`: the protocol itself. Both of its eras, what is malformed, and headers that differ from the body."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from gateway import __version__
from tests.gateways import Gateway, running
from tests.mcp.messages import MCP, META, STATELESS, send, send_after_handshake

SUPPORTED = [STATELESS, "2025-11-25", "2025-06-18"]
HEADERS = {"MCP-Protocol-Version": STATELESS, "Mcp-Method": "tools/list"}
REQUEST = {"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {"_meta": META}}
CALL = {"name": "list_platforms", "arguments": {}}


async def test_mcp_is_off_by_default() -> None:
    async with running() as gateway:
        answer = await send(gateway.client, "server/discover")
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


async def test_a_client_discovers_the_server(gateway: Gateway) -> None:
    answer = await send(gateway.client, "server/discover")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    message = answer.json()
    assert (message["jsonrpc"], message["id"]) == ("2.0", 7)
    result = message["result"]
    assert result.pop("instructions").startswith("Tells where a user stands")
    assert result == {
        "resultType": "complete",
        "supportedVersions": SUPPORTED,
        "capabilities": {"tools": {}},
        "ttlMs": 60000,
        "cacheScope": "private",
        "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "connection-gateway", "version": __version__}},
    }


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("2024-11-05", "2025-11-25"), (None, "2025-11-25")],
)
async def test_an_older_client_shakes_hands(gateway: Gateway, asked: str | None, expected: str) -> None:
    params = {"protocolVersion": asked, "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}
    message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    answer = await gateway.client.post(MCP, json=message)
    assert (answer.status_code, answer.json()["id"]) == (200, 0)
    assert "mcp-session-id" not in answer.headers
    result = answer.json()["result"]
    assert (result["protocolVersion"], result["capabilities"]) == (expected, {"tools": {}})
    assert result["serverInfo"]["name"] == "connection-gateway"


async def test_after_a_handshake_requests_say_nothing_of_their_sender(gateway: Gateway) -> None:
    assert (await send_after_handshake(gateway.client, "ping")).json()["result"] == {}
    listed = (await send_after_handshake(gateway.client, "tools/list")).json()["result"]
    assert set(listed) == {"tools"}
    called = (await send_after_handshake(gateway.client, "tools/call", **CALL)).json()["result"]
    assert set(called) == {"content", "structuredContent", "isError"}


@pytest.mark.parametrize("method", ["notifications/initialized", "notifications/cancelled", "whatever"])
async def test_a_notification_has_no_answer(gateway: Gateway, method: str) -> None:
    answer = await gateway.client.post(MCP, json={"jsonrpc": "2.0", "method": method})
    assert (answer.status_code, answer.content) == (202, b"")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b'{"jsonrpc": "2.0", "id": 7, "method": "ping", "params": ' + b"[" * 100_000, -32700),
        (b'{"jsonrpc": "2.0", "id": 7, "method": "\xff"}', -32700),
        (b"", -32700),
        (b"[]", -32600),
        (b"7", -32600),
        (b"{}", -32600),
        (b'{"jsonrpc": "1.0", "id": 7, "method": "tools/list"}', -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "tools/list"}', -32600),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "tools/list"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 7}', -32600),
        (b'{"jsonrpc": "2.0", "id": 7, "result": {}}', -32600),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_what_is_no_message_is_refused(gateway: Gateway, body: bytes, code: int) -> None:
    answer = await gateway.client.post(MCP, content=body, headers=HEADERS)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert "id" not in answer.json()


@pytest.mark.parametrize(
    "params",
    [
        {},
        [],
        {"_meta": {}},
        {"_meta": 7},
        {"_meta": {"io.modelcontextprotocol/protocolVersion": STATELESS}},
        {"_meta": META, "name": 7},
        {"_meta": META, "cursor": "more"},
    ],
    ids=str,
)
async def test_params_that_are_malformed_are_refused(gateway: Gateway, params: Any) -> None:
    answer = await gateway.client.post(MCP, json=REQUEST | {"params": params}, headers=HEADERS)
    assert (answer.status_code, answer.json()["id"]) == (400, 7)
    assert answer.json()["error"]["code"] == -32602


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"MCP-Protocol-Version": ""}, "MCP-Protocol-Version"),
        ({"MCP-Protocol-Version": "2025-11-25"}, "MCP-Protocol-Version"),
        ({"Mcp-Method": "tools/list"}, "Mcp-Method"),
        ({"Mcp-Method": "TOOLS/CALL"}, "Mcp-Method"),
        ({"Mcp-Name": "act_on_connection"}, "Mcp-Name"),
        ({"Mcp-Name": ""}, "Mcp-Name"),
        ({"Mcp-Name": "=?base64?!?="}, "Mcp-Name"),
        ({"Mcp-Name": "=?base64?/w==?="}, "Mcp-Name"),
    ],
    ids=str,
)
async def test_headers_that_differ_from_the_body_are_refused(
    gateway: Gateway, headers: dict[str, str], name: str
) -> None:
    answer = await send(gateway.client, "tools/call", headers, **CALL)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)
    assert answer.json()["error"]["message"] == f"{name}: expected what the body says"


@pytest.mark.parametrize("name", sorted(HEADERS))
async def test_headers_that_are_missing_are_refused(gateway: Gateway, name: str) -> None:
    headers = {each: value for each, value in HEADERS.items() if each != name}
    answer = await gateway.client.post(MCP, json=REQUEST, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)


async def test_a_name_may_be_wrapped(gateway: Gateway) -> None:
    wrapped = f"=?base64?{base64.b64encode(b'list_platforms').decode()}?="
    answer = await send(gateway.client, "tools/call", {"Mcp-Name": wrapped}, **CALL)
    assert answer.json()["result"]["isError"] is False


async def test_an_unknown_revision_is_told_which_are_known(gateway: Gateway) -> None:
    meta = META | {"io.modelcontextprotocol/protocolVersion": "1900-01-01"}
    answer = await send(gateway.client, "tools/list", {"MCP-Protocol-Version": "1900-01-01"}, _meta=meta)
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "code": -32022,
        "message": "Unsupported protocol version",
        "data": {"supported": SUPPORTED, "requested": "1900-01-01"},
    }


@pytest.mark.parametrize("method", ["ping", "resources/list", "prompts/get", "subscriptions/listen", ""])
async def test_an_unknown_method_is_not_found(gateway: Gateway, method: str) -> None:
    answer = await send(gateway.client, method)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, -32601)


@pytest.mark.parametrize("method", ["server/discover", "resources/list", "logging/setLevel"])
async def test_after_a_handshake_an_unknown_method_ends_no_session(gateway: Gateway, method: str) -> None:
    answer = await send_after_handshake(gateway.client, method)
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["id"]) == (200, -32601, "a")


@pytest.mark.parametrize("name", ["no_such_tool", "", "list_platforms "])
async def test_an_unknown_tool_is_no_tools_failure(gateway: Gateway, name: str) -> None:
    wrapped = f"=?base64?{base64.b64encode(name.encode()).decode()}?="
    answer = await send(gateway.client, "tools/call", {"Mcp-Name": wrapped}, name=name)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32602)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
async def test_mcp_has_no_streams_and_no_sessions(gateway: Gateway, method: str) -> None:
    answer = await gateway.client.request(method, MCP)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_mcp_takes_no_query(gateway: Gateway) -> None:
    answer = await gateway.client.post(f"{MCP}?x=1", json=REQUEST, headers=HEADERS)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")


async def test_ids_come_back_as_they_are(gateway: Gateway) -> None:
    for given in (0, -1, 2**70, "", "x" * 1000):
        answer = await gateway.client.post(MCP, json=REQUEST | {"id": given}, headers=HEADERS)
        assert msgspec.json.decode(answer.content)["id"] == given
