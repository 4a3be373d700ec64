"""The protocol's own clients, for Python and for TypeScript: what each caller and each page is shown and refused.

Both check each result against the tool's `outputSchema`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from connection_gateway.demo import demo
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.clients.gateway_process import GatewayProcess
from tests.docs.test_client import FOLDER, NODE, node
from tests.gateways import key_of

READING = ["list_platforms", "list_connections", "lookup_connections", "explain_connection"]
ACTING = "act_on_connection"
TARGET = {"platform": "acme", "user_id": "102"}
GIVEN: dict[str, dict[str, Any]] = {
    "list_platforms": {},
    "list_connections": {"platforms": ["acme"]},
    "lookup_connections": {"users": [TARGET, {"platform": "nowhere", "user_id": "1"}]},
    "explain_connection": TARGET,
    ACTING: {**TARGET, "action": "accept"},
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with demo() as platforms, pytest.MonkeyPatch.context() as environ:
        environ.setenv("GATEWAY_SERVER__MCP", "true")
        with GatewayProcess(tmp_path_factory.mktemp("gateway"), platforms, "tcp") as gateway:
            yield gateway.url


async def in_python(url: str, headers: dict[str, str], _folder: Path) -> dict[str, Any]:
    statuses: list[int] = []

    async def note(response: httpx2.Response) -> None:
        statuses.append(response.status_code)

    async with httpx2.AsyncClient(headers=headers, event_hooks={"response": [note]}) as http:
        try:
            async with Client(streamable_http_client(f"{url}/mcp", http_client=http)) as agent:
                tools = (await agent.list_tools()).tools
                assert all(each.output_schema for each in tools)
                results = {name: await agent.call_tool(name, given) for name, given in GIVEN.items()}
                failed = [name for name, each in results.items() if each.is_error]
                return {"tools": [each.name for each in tools], "failed": failed}
        except ExceptionGroup:
            return {"refused": statuses.pop()}


async def in_typescript(url: str, headers: dict[str, str], folder: Path) -> dict[str, Any]:
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    shutil.copy(FOLDER / "rights.mjs", folder)
    code, printed = await node("rights.mjs", url, msgspec.json.encode(headers).decode(), cwd=folder)
    assert code == 0, printed
    found: dict[str, Any] = msgspec.json.decode(printed)
    return found


TYPESCRIPT = pytest.param(
    in_typescript,
    marks=pytest.mark.skipif(
        not NODE or not (FOLDER / "node_modules").is_dir(),
        reason="there is no node, or no node_modules, which `make test` installs",
    ),
)


@pytest.mark.parametrize("sdk", [in_python, TYPESCRIPT])
@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        ({"X-API-Key": key_of("reader")}, {"tools": READING, "failed": [ACTING]}),
        ({"X-API-Key": key_of("bot")}, {"tools": [*READING, ACTING], "failed": []}),
        ({"X-API-Key": key_of("bot"), "Origin": "https://evil.example"}, {"refused": 403}),
    ],
    ids=["may read", "may act", "foreign page"],
)
async def test_what_is_shown(
    url: str, tmp_path: Path, sdk: Any, headers: dict[str, str], seen: dict[str, Any]
) -> None:
    assert await sdk(url, headers, tmp_path) == seen
