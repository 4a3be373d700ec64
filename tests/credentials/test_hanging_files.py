"""Files that hang when they are read or written, as on a mount whose server is gone: a real process goes on and ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from adapters.selfcommunity.simulator import SECRET
from adapters.simulation import Simulator, serving, simulator
from adapters.simulation.faults import Fault
from tests.credentials.oauth import CLIENT
from tests.serving.test_process import COMMAND, LONGEST, Process

HANGING = """
import os, sys, time
real = os.{call}
def hang(*words, **named):
    while os.path.exists("hang"):
        time.sleep(0.1)
    return real(*words, **named)
os.{call} = hang
from gateway.cli import run
run()
"""
"""The command, where one call into the system hangs for as long as there is a file of that name."""


@asynccontextmanager
async def serve(folder: Path, port: int, community: Simulator, *command: str) -> AsyncIterator[Process]:
    """A gateway with a refresh token, whose working directory is `folder`."""
    async with serving(community) as url, httpx.AsyncClient(base_url=url) as client:
        granted = await client.post("/oauth/token/", data=CLIENT)
        (folder / "refresh").write_text(granted.json()["refresh_token"])
        (folder / "client").write_text(SECRET)
        (folder / "gateway.toml").write_text(f"""
            [server]
            port = {port}
            request_timeout = 60.0
            [platforms.club]
            adapter = "selfcommunity"
            base_url = "{url}"
            fresh_for = 0
            credentials = {{ mode = "oauth2", client_id = "demo", client_secret_file = "client", refresh_token_file = "refresh" }}
        """)
        environ = os.environ | {"GATEWAY_CONFIG": "gateway.toml", "PYTHONPATH": str(Path(__file__).parents[2])}
        process = await asyncio.create_subprocess_exec(
            *[*command, "serve"], stderr=subprocess.PIPE, env=environ, cwd=folder
        )
        try:
            wait = await asyncio.create_subprocess_exec(*[*COMMAND, "wait"], env=environ, cwd=folder)
            assert await wait.wait() == 0
            yield Process(process, f"http://127.0.0.1:{port}")
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()


async def statuses(gateway: Process, community: Simulator) -> set[str]:
    """Of two lookups, each with a login."""
    found = set()
    async with httpx.AsyncClient(base_url=gateway.url, timeout=LONGEST) as client:
        for _ in range(2):
            community.misbehave(Fault(expire_sessions=True))
            found.add((await client.get("/v1/connections/club/103")).json()["status"])
    return found


def become_a_pipe(file: Path) -> None:
    os.mkfifo(file.with_suffix(".pipe"))
    file.with_suffix(".pipe").replace(file)


@pytest.mark.parametrize("call", ["open", "fsync", None])
async def test_a_refresh_token_file_that_hangs_holds_up_neither_lookups_nor_the_end(
    port: int, tmp_path: Path, call: str | None
) -> None:
    """None: nothing hangs but the opening of a pipe."""
    community = simulator("selfcommunity")
    command = COMMAND if call is None else [sys.executable, "-c", HANGING.format(call=call)]
    async with serve(tmp_path, port, community, *command) as gateway:
        if call is None:
            become_a_pipe(tmp_path / "refresh")
        else:
            (tmp_path / "hang").touch()
        assert await statuses(gateway, community) == {"pending_outgoing"}
        gateway.signal(signal.SIGTERM)
        assert await gateway.ended() == 0
    events = {line.get("warning") for line in map(msgspec.json.decode, gateway.errors.splitlines())}
    assert "refresh-token-not-kept" in events


async def test_a_signal_that_meets_a_configuration_that_hangs_does_not_keep_it_from_ending(
    port: int, tmp_path: Path
) -> None:
    community = simulator("selfcommunity")
    async with serve(tmp_path, port, community, *COMMAND) as gateway:
        become_a_pipe(tmp_path / "gateway.toml")
        for _ in range(3):
            gateway.signal(signal.SIGHUP)
            await asyncio.sleep(0.1)
        assert await statuses(gateway, community) == {"pending_outgoing"}
        gateway.signal(signal.SIGTERM)
        assert await gateway.ended() == 0
