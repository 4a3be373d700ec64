"""`<connection-status>` and the React hooks in Chromium, on a page of another site than the gateway's."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import msgspec
import pytest

from adapters.simulation import serving
from gateway.pages import client
from tests.clients.guide import PAGE, fenced, own_token, proxied
from tests.docs.pages import PAGES
from tests.docs.test_client import FOLDER, NODE
from tests.docs.test_page import CHROMIUM, NGINX
from tests.gateways import CALLERS, OWN, running

CLIENT = Path(__file__).parents[2] / "clients" / "javascript"
BROWSER = Path(__file__).with_name("browser")
REACT = Path(__file__).with_name("react")

pytestmark = [
    pytest.mark.skipif(not NODE, reason="there is no node"),
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium"),
    pytest.mark.skipif(not NGINX, reason="there is no nginx"),
    pytest.mark.skipif(
        not all((folder / "node_modules").is_dir() for folder in (FOLDER, REACT / "18", REACT / "19")),
        reason="there are no node_modules, which `make test` installs with npm",
    ),
]


async def test_in_a_browser(port: int, tmp_path: Path) -> None:
    """Runs `browser/all.mjs`: one browser, and one gateway for each kind of credential.

    In the environment, `BROWSER_TEST` names one file to run, and `PICTURES` a folder for screenshots.
    """
    pages = [f"http://localhost:{port}"]
    token_folder = tmp_path / "token"
    token_folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        unused = free.getsockname()[1]
    pods = {**OWN, "bank": OWN["acme"]}
    cache = {"fresh_for": 0.05, "stale_for": 60}
    async with (
        running(pods, cache=cache, cors_origins=pages) as own,
        running(CALLERS, cors_origins=pages) as passing,
        serving(own.app) as own_url,
        serving(passing.app) as passing_url,
        serving(own.acme) as acme,
        serving(own.club) as club,
        serving(own.simulators["bank"]) as bank,
        own_token(token_folder, pages[0]) as token_url,
        proxied(tmp_path, unused) as proxied_url,
    ):
        given = {
            "own": own_url,
            "passing": passing_url,
            "token": token_url,
            "proxied": proxied_url,
            "acme": acme,
            "club": club,
            "bank": bank,
            "port": port,
            "chromium": CHROMIUM,
            "modules": str(FOLDER),
            "client": str(CLIENT),
            "react": str(REACT),
            "version": client.version(),
            "integrity": {name: each.integrity for name, each in client.files().items()},
            "first_page": fenced("html", PAGES[PAGE])[0],
            "code": [block for block in fenced("js", PAGES[PAGE]) if not block.startswith("--8<--")],
            "pictures": os.environ.get("PICTURES", ""),
        }
        with tempfile.TemporaryDirectory() as folder:  # pytest's own is too long a path for a socket
            process = await asyncio.create_subprocess_exec(
                *(NODE, "--test", "--test-timeout", "240000", BROWSER / os.environ.get("BROWSER_TEST", "all.mjs")),
                stdout=PIPE,
                stderr=STDOUT,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": folder,
                    "TMPDIR": folder,
                    "BROWSER_TESTS": msgspec.json.encode(given).decode(),
                },
            )
            printed, _ = await asyncio.wait_for(process.communicate(), 300)
    assert process.returncode == 0, printed.decode()
