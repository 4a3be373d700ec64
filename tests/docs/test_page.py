"""`/docs` and the pages of problems, in a real browser: who has nothing else can make every call from there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapters.simulation import serving
from gateway.problems.problem import Kind
from tests.gateways import CALLERS, NAMED, OWN, Gateway, caller, key_of, running

FOLDER = Path(__file__).with_name("node")
NODE = shutil.which("node") or ""
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or ""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
PATIENCE = 120
CALLS = {
    "get_connection": {"user_id": "103", "explain": "true"},
    "list_connections": {"status": "pending_incoming\npending_outgoing", "limit": "1"},
    "lookup_connections": {},
    "watch_few_connections": {"user": "acme:101"},
    "watch_connections": {},
    "act_on_connection": {"user_id": "102", "action": "accept"},
    "act_on_many": {},
    "get_me": {},
    "list_platforms": {},
    "get_liveness": {},
    "get_readiness": {},
    "get_metrics": {},
    "get_index": {},
    "get_openapi": {},
    "get_docs": {},
    "get_problem": {"slug": "platform-timeout"},
    "get_client_file": {"name": "gateway.js"},
}
SIGNED = "receive_event"
"""No page can sign it."""

pytestmark = [
    pytest.mark.skipif(not NODE, reason="there is no node"),
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium"),
    pytest.mark.skipif(
        not (FOLDER / "node_modules").is_dir(),
        reason="there are no node_modules, which `make test` installs with npm",
    ),
]


async def browse(scenario: str, **given: Any) -> Any:
    """What `browse.mjs` saw. Its environment is empty: no proxy is in the way."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is too long a path for a socket
        process = await asyncio.create_subprocess_exec(
            *(NODE, FOLDER / "browse.mjs", CHROMIUM, scenario),
            stdin=PIPE,
            stdout=PIPE,
            env={"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder},
        )
        printed, _ = await asyncio.wait_for(process.communicate(msgspec.json.encode(given)), PATIENCE)
    assert process.returncode == 0
    return msgspec.json.decode(printed)


async def test_every_call_can_be_made_from_it(gateway: Gateway) -> None:
    async with serving(gateway.app) as url:
        seen = await browse("calls", url=url, calls=CALLS)
        document = (await gateway.client.get("/openapi.json")).json()
        assert set(seen["calls"]) == {
            operation["operationId"] for methods in document["paths"].values() for operation in methods.values()
        } - {SIGNED}
        assert {id_: call["status"] for id_, call in seen["calls"].items()} == dict.fromkeys(CALLS, "200 OK")
        said = {id_: call["body"] for id_, call in seen["calls"].items()}
        assert msgspec.json.decode(said["get_connection"])["status"] == "pending_outgoing"
        assert "steps" in msgspec.json.decode(said["get_connection"])["explain"]
        assert len(msgspec.json.decode(said["list_connections"])["connections"]) == 1
        assert msgspec.json.decode(said["lookup_connections"])["results"][0]["connection"]["platform"] == "acme"
        assert msgspec.json.decode(said["act_on_connection"])["status"] == "connected"
        assert "connection_gateway_waiting" in said["get_metrics"]
        assert (seen["errors"], seen["violations"], seen["hosts"]) == ([], [], [url])


async def test_its_curl_lines_do_the_same(gateway: Gateway) -> None:
    async with serving(gateway.app) as url:
        wanted = {
            name: CALLS[name]
            for name in ("get_connection", "list_connections", "lookup_connections", "act_on_connection")
        }
        seen = await browse("calls", url=url, calls=wanted)
        for call in seen["calls"].values():
            assert call["copied"] == call["line"]
            printed = msgspec.json.decode(await shell(call["line"]))
            assert set(printed) == set(msgspec.json.decode(call["body"]))
            assert "type" not in printed


async def test_secrets_go_into_the_call_and_not_into_the_line() -> None:
    async with (
        running(CALLERS, [caller("web", may=["read", "act"])]) as gateway,
        serving(gateway.app) as url,
    ):
        who = {"callerKey": key_of("web"), "platformToken": "acme=demo"}
        wanted = {"get_connection": {"platform": "acme", "user_id": "103"}}
        seen = await browse("calls", url=url, who=who, calls=wanted, noClipboard=True)
        call = seen["calls"]["get_connection"]
        assert call["status"] == "200 OK"
        assert call["copied"] == call["line"]
        assert key_of("web") not in call["line"]
        assert '"X-API-Key: $X_API_KEY"' in call["line"]
        printed = await shell(call["line"], X_API_KEY=key_of("web"), X_PLATFORM_TOKEN="acme=demo")
        assert msgspec.json.decode(printed)["status"] == "pending_outgoing"


async def test_a_problem_leads_to_what_it_means() -> None:
    async with running(OWN) as gateway, serving(gateway.app) as url:
        seen = await browse("calls", url=url, calls={"get_connection": {"platform": "club", "user_id": "404404"}})
        assert seen["calls"]["get_connection"]["status"] == "404 Not Found"
        assert seen["calls"]["get_connection"]["meaning"] == f"{url}/problems/user-not-found"


async def test_a_list_is_paged_through(gateway: Gateway) -> None:
    async with serving(gateway.app) as url:
        wanted = {"list_connections": {"status": "pending_incoming", "limit": "1"}}
        seen = await browse("paging", url=url, calls=wanted)
        pages = [msgspec.json.decode(each["body"]) for each in seen["pages"]]
        assert [len(page["connections"]) for page in pages] == [1, 1]
        assert [page["connections"][0]["platform"] for page in pages] == ["acme", "club"]
        assert [each["hasNext"] for each in seen["pages"]] == [True, False]


async def test_nothing_is_done_by_one_press(gateway: Gateway) -> None:
    """What acts on a user names nobody before somebody does, and its curl line says what is to be filled in."""
    async with serving(gateway.app) as url:
        seen = await browse("unfilled", url=url, calls={})
        assert seen["needed"] == ["user_id", "action"]
        assert f"'{url}/v1/connections/acme/USER_ID/ACTION'" in seen["line"]
    assert gateway.calls == 0


async def test_on_whose_behalf_is_asked_once_for_all_calls() -> None:
    callers = [caller("web", on_behalf_of=["*"])]
    async with running(NAMED, callers) as gateway, serving(gateway.app) as url:
        who = {"callerKey": key_of("web"), "onBehalfOf": "acme=102"}
        wanted = {"get_connection": {"platform": "acme", "user_id": "1"}, "get_liveness": {}}
        seen = await browse("calls", url=url, who=who, calls=wanted)
        call = seen["calls"]["get_connection"]
        assert msgspec.json.decode(call["body"])["status"] == "pending_outgoing"
        assert "-H 'X-On-Behalf-Of: acme=102'" in call["line"]
        assert "Behalf" not in seen["calls"]["get_liveness"]["line"]


@pytest.mark.skipif(not NGINX, reason="there is no nginx")
async def test_every_link_works_behind_a_path_prefix(gateway: Gateway, port: int, tmp_path: Path) -> None:
    async with serving(gateway.app) as url, prefixed(url, port, tmp_path) as outside:
        seen = await browse(
            "calls",
            url=outside,
            calls={"get_connection": {"platform": "club", "user_id": "404404"}, "list_platforms": {}},
            links=True,
        )
        assert seen["calls"]["get_connection"]["meaning"] == f"{outside}/problems/user-not-found"
        assert seen["calls"]["list_platforms"]["status"] == "200 OK"
        assert f"'{outside}/v1/platforms'" in seen["calls"]["list_platforms"]["line"]
        async with httpx.AsyncClient() as client:
            document = httpx.URL(f"{outside}/openapi.json")
            server = (await client.get(document)).json()["servers"][0]["url"]
            assert str(document.join(server)) == f"{outside}/"
            pages = [f"{outside}/", f"{outside}/docs", f"{outside}/problems/user-not-found"]
            linked = {link for page in pages for link in await links(client, page)} | set(seen["links"])
            assert len(linked) > 25
            answers = {link: (await client.get(link)).status_code for link in linked}
        assert set(answers.values()) == {200}, answers


async def test_nobody_is_shut_out(gateway: Gateway) -> None:
    async with serving(gateway.app) as url:
        seen = await browse("look", url=url, slugs=[kind.slug for kind in Kind])
        assert (seen["errors"], seen["violations"], seen["hosts"]) == ([], [], [url])
        assert seen["overflow"] == 0


async def test_a_keyboard_is_enough(gateway: Gateway) -> None:
    async with serving(gateway.app) as url:
        seen = await browse("keyboard", url=url, calls={"get_connection": {"user_id": "103"}})
        assert (seen["first"], seen["skipped"]) == ("Skip to the calls", "main")
        assert seen["calls"]["get_connection"]["status"] == "200 OK"
        assert msgspec.json.decode(seen["calls"]["get_connection"]["body"])["user_id"] == "103"


async def shell(line: str, **environ: str) -> bytes:
    process = await asyncio.create_subprocess_shell(line, stdout=PIPE, env={"PATH": os.environ["PATH"], **environ})
    printed, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    return printed


async def links(client: httpx.AsyncClient, page: str) -> list[str]:
    """What a page refers to."""
    answer = await client.get(page, headers={"Accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")
    return [str(httpx.URL(page).join(each)) for each in re.findall(r'(?:href|src)="([^"#]+)"', answer.text)]


@asynccontextmanager
async def prefixed(url: str, port: int, folder: Path) -> AsyncIterator[str]:
    """nginx, which serves it below a path of its own."""
    (folder / "nginx.conf").write_text(f"""
        daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
        events {{}}
        http {{
            access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
            fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
            server {{
                listen 127.0.0.1:{port};
                location /gw/ {{ proxy_pass {url}/; proxy_set_header Host $http_host; }}
            }}
        }}
    """)
    process = await asyncio.create_subprocess_exec(NGINX, "-c", str(folder / "nginx.conf"), "-e", "stderr")
    try:
        async with httpx.AsyncClient() as client:
            for _ in range(200):
                with contextlib.suppress(httpx.ConnectError):
                    await client.get(f"http://127.0.0.1:{port}/gw/livez")
                    break
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}/gw"
    finally:
        process.terminate()
        await process.wait()
