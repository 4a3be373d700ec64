"""A real process whose name server is silent: platforms with names that hang take nothing from the others."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from adapters.simulation import serving, simulator
from tests.serving.test_process import COMMAND, LONGEST

SERVER = "127.0.0.77"
"""Where nobody answers: an address of this machine, since a name server has port 53."""
PRIVATE = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
"""In a mount namespace of its own: the machine's own file stays as it is."""


def may_unshare() -> bool:
    return (
        shutil.which("unshare") is not None
        and subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0  # noqa: S607
    )


@pytest.mark.skipif(not may_unshare(), reason="this user may have no mount namespace of its own")
async def test_names_that_hang_hold_up_no_other_platform(port: int, tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text(f"nameserver {SERVER}\noptions timeout:30 attempts:5\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((SERVER, 53))
        async with serving(simulator("symphony")) as pod:
            tables = "".join(
                f'[platforms.{name}]\nadapter = "symphony"\nbase_url = "{url}"\ncredentials = {{ mode = "caller" }}\n'
                for name, url in (
                    ("good", pod),
                    ("one", "http://one.hangs.example"),
                    ("two", "http://two.hangs.example"),
                )
            )
            (tmp_path / "gateway.toml").write_text(f"server = {{ port = {port} }}\n{tables}")
            words = ["unshare", "-m", "sh", "-c", PRIVATE, str(tmp_path / "resolv.conf"), *COMMAND, "serve"]
            environ = os.environ | {"GATEWAY_CONFIG": str(tmp_path / "gateway.toml")}
            process = await asyncio.create_subprocess_exec(*words, stderr=subprocess.DEVNULL, env=environ)
            try:
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=LONGEST) as client:
                    await _ready(client)
                    await _ask(client)
                    process.send_signal(signal.SIGTERM)
                    assert await asyncio.wait_for(process.wait(), LONGEST) == 0
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()


async def _ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(LONGEST):
        while True:
            with contextlib.suppress(httpx.TransportError):
                await client.get("/livez")
                return
            await asyncio.sleep(0.02)


async def _ask(client: httpx.AsyncClient) -> None:
    async def lookup(platform: str, user: int) -> httpx.Response:
        headers = {"X-Platform-Token": f"{platform}=demo"}
        return await client.get(f"/v1/connections/{platform}/{user}", headers=headers)

    hanging = [asyncio.create_task(lookup(name, user)) for user in range(1, 30) for name in ("one", "two")]
    for user in range(1000, 1050):
        assert (await lookup("good", user)).json()["status"] == "connected"
    for answer in await asyncio.gather(*hanging):
        problem = answer.json()
        if problem["type"] != "/problems/platform-unavailable":  # its breaker has opened meanwhile
            assert (answer.status_code, problem["type"]) == (502, "/problems/platform-unreachable")
            assert problem["detail"] == "the name could not be resolved"
    health = {each["name"]: each["health"] for each in (await client.get("/v1/platforms")).json()["platforms"]}
    assert health["good"] == "up"
