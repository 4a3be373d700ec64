"""`/mcp` counts as API: it needs a key and a place, and no foreign page may call it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.api.test_admission import MOST, full
from tests.gateways import OWN, caller, key_of, running
from tests.mcp.messages import MCP, send, tool_names, use

PAGE = "https://www.example.com"
TARGET = {"platform": "acme", "user_id": "102", "action": "accept"}


@pytest.mark.parametrize(
    "headers", [{}, {"X-API-Key": "wrong"}, {"Authorization": f"Bearer {key_of('web')}"}], ids=str
)
async def test_without_a_key_nothing_is_told(headers: dict[str, str]) -> None:
    async with running(OWN, [caller("web", may=["read", "act"])], mcp=True) as gateway:
        for method in ("server/discover", "tools/list", "initialize"):
            answer = await send(gateway.client, method, headers)
            assert (answer.status_code, answer.json()["type"]) == (401, "/problems/invalid-api-key")
        answer = await send(gateway.client, "tools/call", headers, name="act_on_connection", arguments=TARGET)
        assert (answer.status_code, gateway.calls) == (401, 0)
        assert len(await tool_names(gateway.as_caller("web"))) == 5


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
    ],
    ids=str,
)
async def test_a_foreign_page_gets_nothing(headers: dict[str, str]) -> None:
    async with running(mcp=True) as gateway:
        answer = await send(gateway.client, "tools/call", headers, name="act_on_connection", arguments=TARGET)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-allowed")
        assert gateway.calls == 0


async def test_a_page_of_a_named_origin_may_call() -> None:
    wanted = "content-type, mcp-protocol-version, mcp-method, mcp-name, x-api-key"
    headers = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": wanted}
    async with running(cors_origins=[PAGE], mcp=True) as gateway:
        asked = await gateway.client.options(MCP, headers=headers)
        allowed = {each.strip().lower() for each in asked.headers["access-control-allow-headers"].split(",")}
        assert set(wanted.split(", ")) <= allowed
        answer = await send(gateway.client, "tools/list", {"Origin": PAGE})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, PAGE)


async def test_a_message_needs_a_place() -> None:
    async with running(max_concurrency=MOST, each={"max_waiting": MOST}, mcp=True) as gateway:
        asking = await full(gateway)
        answer = await send(gateway.client, "tools/list")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert await asyncio.gather(*asking) == [200] * MOST
        assert (await send(gateway.client, "tools/list")).status_code == 200


async def test_a_body_that_is_too_large_is_refused() -> None:
    async with running(mcp=True) as gateway:
        answer = await gateway.client.post(MCP, content=b" " * 300_000)
        assert (answer.status_code, answer.json()["type"]) == (413, "/problems/payload-too-large")


async def test_each_caller_sees_its_own_tools() -> None:
    """The tools that a caller sees are not remembered from one request to the next."""
    callers = [caller("web", may=["read", "act"]), caller("other")]
    async with running(OWN, callers, mcp=True) as gateway:
        names = [len(await tool_names(gateway.as_caller(name))) for name in ("web", "other", "web")]
        assert names == [5, 4, 5]


async def test_a_header_that_can_not_be_meant_is_the_tools_problem() -> None:
    async with running(mcp=True) as gateway:
        for headers in ({"X-Request-Timeout-Ms": "0"}, {"X-On-Behalf-Of": "x"}):
            told = await use(gateway.client, "explain_connection", headers, platform="acme", user_id="102")
            assert told["type"] == "/problems/invalid-request"


async def test_large_answers_are_compressed() -> None:
    async with running(mcp=True) as gateway:
        answer: httpx.Response = await send(gateway.client, "tools/list", {"Accept-Encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
