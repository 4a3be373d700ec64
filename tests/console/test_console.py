"""`/console` in a real browser: what an operator sees, and can do by keyboard alone."""

from __future__ import annotations

import asyncio
import os
import tempfile
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapters.simulation import serving
from tests.docs.served import demo_with_simulators
from tests.docs.test_page import CHROMIUM, FOLDER, NGINX, NODE, PATIENCE, prefixed
from tests.gateways import CALLERS, caller, key_of, running

UNKNOWN = "\N{EN DASH}"

pytestmark = [
    pytest.mark.skipif(not NODE, reason="there is no node"),
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium"),
    pytest.mark.skipif(
        not (FOLDER / "node_modules").is_dir(),
        reason="there are no node_modules, which `make test` installs with npm",
    ),
]


async def browse(scenario: str, **given: str) -> Any:
    """What `console.mjs` saw. Its environment is empty: no proxy is in the way."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is too long a path for a socket
        process = await asyncio.create_subprocess_exec(
            *(NODE, FOLDER / "console.mjs", CHROMIUM, scenario),
            stdin=PIPE,
            stdout=PIPE,
            env={"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder},
        )
        printed, _ = await asyncio.wait_for(process.communicate(msgspec.json.encode(given)), PATIENCE)
    assert process.returncode == 0
    seen = msgspec.json.decode(printed)
    assert (seen["errors"], seen["violations"], seen["overflow"]) == ([], [], 0)
    return seen


async def test_a_keyboard_is_enough_to_look_up_and_to_empty_the_inbox(port: int) -> None:
    async with demo_with_simulators(port) as demo:
        assert f"{demo.url}/console" in demo.printed
        seen = await browse("keyboard", url=demo.url)
        async with httpx.AsyncClient(base_url=demo.url) as client:
            named = ("symphony/102", "community/102", "community/103", "site/102", "site/103")
            after = [(await client.get(f"/v1/connections/{each}")).json()["status"] for each in named]
    assert [row[:3] for row in seen["pending"]] == [
        ["102", "symphony", "they asked"],
        ["103", "symphony", "we asked"],
        ["102", "community", "they asked"],
        ["103", "community", "we asked"],
        ["102", "site", "they asked"],
        ["103", "site", "we asked"],
    ]
    assert (seen["first"], seen["skipped"]) == ("Skip to the platforms", "main")
    assert seen["connection"].startswith("pending outgoing")
    assert seen["steps"] == ["Cache read", "Wait for the call", "Platform call", "Request"]
    assert seen["focus"] == [
        "Accept: 102 on symphony",
        "Accept: 102 on community",
        "Cancel request: 103 on community",
        "Accept: 102 on site",
        "Cancel request: 103 on site",
        "inbox-title",
    ]
    assert seen["announced"] == "103 on site is now none"
    assert seen["left"] == ["103"]
    assert seen["parsed"] == "TypeError"  # Trusted Types: text is never parsed as markup
    assert after == ["connected", "connected", "none", "connected", "none"]
    assert seen["hosts"] == [demo.url]


async def test_a_fault_and_its_end_are_shown_without_a_reload(port: int) -> None:
    async with demo_with_simulators(port) as demo:
        seen = await browse("fault", url=demo.url, community=demo.simulators["selfcommunity"])
    assert (seen["before"], seen["after"], seen["isSamePage"]) == ("up", "up", True)
    assert seen["announced"] == "community is up"
    assert seen["problem"].startswith("community: The platform failed")
    assert seen["unread"].startswith("community: The platform failed")
    _, what, attempt, request_id = next(row for row in seen["received"] if "looking up" in row[2])
    assert attempt == "looking up on community"
    assert what.split()[0] in {"platform-unavailable", "platform-error"}
    assert request_id in seen["problem"]
    assert seen["page"].startswith(f"{demo.url}/problems/platform-")
    assert "platform-error" in seen["counted"]
    assert seen["hosts"] == [demo.url]


@pytest.mark.skipif(not NGINX, reason="there is no nginx")
async def test_a_key_is_asked_for_and_kept_in_memory_only(port: int, tmp_path: Path) -> None:
    async with (
        running(CALLERS, [caller("web")], console=True) as gateway,
        serving(gateway.app) as url,
        prefixed(url, port, tmp_path) as outside,
    ):
        seen = await browse("callers", url=outside, key=key_of("web"), tokens="acme=demo, club=demo")
    assert (seen["shown"], seen["focused"]) == (["identity"], "identity-key")
    assert seen["wrong"] == "The gateway refused this key."
    assert seen["lacking"].endswith("acme, club.")
    assert (seen["caller"], seen["buttons"]) == ("Identity: web", 0)
    assert seen["figures"].endswith("This address does not serve /metrics, so there are no figures.")
    assert [row[:6] for row in seen["platforms"]] == [
        ["acme", "up", "symphony", "the caller's token", UNKNOWN, UNKNOWN],
        ["club", "up", "selfcommunity", "the caller's token", UNKNOWN, UNKNOWN],
    ]
    assert seen["kept"] == {"cookie": "", "address": f"{outside}/console"}
    assert key_of("web") not in seen["forgotten"]
    assert "102" not in seen["forgotten"]
    assert "demo" not in seen["forgotten"]
    assert seen["hosts"] == [outside.removesuffix("/gw")]
