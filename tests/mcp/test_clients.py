"""The protocol's own clients, for Python and for TypeScript, against the demo as a process: they empty its inbox."""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from pathlib import Path

import httpx
import msgspec
import pytest
from mcp import Client

from gateway.auth.callers import KEY_HEADER, key_digest
from gateway.auth.viewers import ON_BEHALF_HEADER
from gateway.config.caller_settings import Right
from gateway.config.converter import from_tables
from tests.docs.served import demo
from tests.docs.test_client import FOLDER, NODE, node
from tests.docs.test_python_client import run
from tests.gateways import NAMED, tables

PAGE = Path(__file__).parents[2] / "docs" / "clients" / "agents.md"
TOOLS = ["list_platforms", "list_connections", "lookup_connections", "explain_connection", "act_on_connection"]
VERSIONS = {"auto": "2026-07-28", "legacy": "2025-11-25"}


@pytest.mark.parametrize("mode", VERSIONS)
async def test_an_agent_in_python_empties_the_inbox(port: int, mode: str) -> None:
    async with demo(port, GATEWAY_SERVER__MCP="true") as url, Client(f"{url}/mcp", mode=mode) as agent:
        assert agent.protocol_version == VERSIONS[mode]
        tools = (await agent.list_tools()).tools
        assert [each.name for each in tools] == TOOLS
        assert [each.name for each in tools if not (each.annotations and each.annotations.read_only_hint)] == TOOLS[
            -1:
        ]
        assert len(await accept_all(agent)) == 3
        assert await accept_all(agent) == []
        refused = await agent.call_tool("explain_connection", {"platform": "nowhere", "user_id": "1"})
        assert refused.is_error
        assert "/problems/unknown-platform" in str(refused.content)


async def accept_all(agent: Client) -> list[str]:
    """What it accepted, as a model would that knows what the tools say and nothing else."""
    found = await agent.call_tool("list_connections", {"statuses": ["pending_incoming"]})
    page = found.structured_content
    assert page["complete"]
    accepted = []
    for each in page["connections"]:
        assert "accept" in each["actions"]
        target = {"platform": each["platform"], "user_id": each["user_id"], "action": "accept"}
        result = await agent.call_tool("act_on_connection", target)
        assert not result.is_error
        accepted.append(result.structured_content["user_id"])
    return accepted


@pytest.mark.skipif(not NODE, reason="there is no node")
@pytest.mark.skipif(
    not (FOLDER / "node_modules").is_dir(), reason="there are no node_modules, which `make test` installs"
)
@pytest.mark.parametrize("mode", VERSIONS)
async def test_an_agent_in_typescript_empties_the_inbox(tmp_path: Path, port: int, mode: str) -> None:
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    shutil.copy(FOLDER / "agent.mjs", tmp_path)
    async with demo(port, GATEWAY_SERVER__MCP="true") as url:
        code, printed = await node("agent.mjs", url, mode, cwd=tmp_path)
    assert code == 0
    assert msgspec.json.decode(printed) == {
        "server": "connection-gateway",
        "version": VERSIONS[mode],
        "tools": TOOLS,
        "accepted": ["connected", "connected", "connected"],
        "left": 0,
        "isError": True,
        "problem": "/problems/unknown-platform",
    }


async def test_the_agent_of_the_page_empties_the_inbox(tmp_path: Path, port: int) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "agent.py").write_text(program)
    async with demo(port, GATEWAY_SERVER__MCP="true") as url, httpx.AsyncClient(base_url=url) as client:
        code, printed = await run("agent.py", url, cwd=tmp_path)
        assert (code, printed) == (0, "symphony 102 accepted\ncommunity 102 accepted\nsite 102 accepted\n"), printed
        assert (await client.get("/v1/connections?status=pending_incoming")).json()["connections"] == []


def test_the_configurations_of_the_page_load() -> None:
    enabled, policy = (tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL))
    (assistant,) = policy["callers"]
    assistant["key_sha256"] = key_digest("x")
    settings = from_tables(tables(NAMED, enabled["server"], [assistant]))
    assert settings.server.mcp
    assert settings.callers[0].may == (Right.READ,)


def test_the_headers_of_the_page_are_those_of_the_api() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    server = msgspec.json.decode(text)["mcpServers"]["connections"]
    assert server["url"].endswith("/mcp")
    assert set(server["headers"]) == {KEY_HEADER, ON_BEHALF_HEADER}


def test_the_server_runs_without_their_library() -> None:
    assert "mcp" in sys.modules
    gateway = Path(__file__).parents[2] / "gateway"
    assert not [
        file for file in gateway.rglob("*.py") if re.search(r"^(?:from|import) mcp\b", file.read_text(), re.MULTILINE)
    ]
