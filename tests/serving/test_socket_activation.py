"""Processes that are given a listening socket, as systemd does it: one after another, and no connection is refused."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from adapters.simulation import serving, simulator
from gateway.config.converter import from_tables
from gateway.config.settings import ConfigurationError
from gateway.server.activation import as_inherited, inherited_listener
from tests.gateways import KEY, OWN, tables
from tests.serving.test_process import ASKED, COMMAND, LONGEST

PASS = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=sys.argv[2])
os.execv(sys.argv[3], sys.argv[3:])
"""
"""What systemd does between fork and exec."""


def configured(folder: Path, pod_url: str, server: str = "") -> Mapping[str, str]:
    """The environment of a gateway with a configuration that names a port which it must not open."""
    (folder / "acme.pem").write_text(KEY)
    (folder / "acme.pem").chmod(0o600)
    (folder / "gateway.toml").write_text(f"""
        [server]
        port = 1
        {server}
        [platforms.acme]
        adapter = "symphony"
        base_url = "{pod_url}"
        credentials = {{ mode = "bot", username = "demo", private_key_file = "acme.pem" }}
    """)
    return os.environ | {"GATEWAY_CONFIG": str(folder / "gateway.toml")}


@asynccontextmanager
async def activated(
    listener: socket.socket, environ: Mapping[str, str], count: str = "1"
) -> AsyncIterator[asyncio.subprocess.Process]:
    number = listener.fileno()
    command = [sys.executable, "-c", PASS, str(number), count, *COMMAND, "serve"]
    process = await asyncio.create_subprocess_exec(*command, env=environ, pass_fds=[number], stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def log_until(process: asyncio.subprocess.Process, event: str) -> dict[str, object]:
    assert process.stderr is not None
    async with asyncio.timeout(LONGEST):
        while line := await process.stderr.readline():
            said: dict[str, object] = msgspec.json.decode(line)
            if said["event"] == event:
                return said
    raise AssertionError(f"it ended without {event}")


async def test_an_upgrade_refuses_no_connection_and_loses_no_request(tmp_path: Path) -> None:
    statuses: list[int] = []
    done = asyncio.Event()

    async def ask(url: str) -> None:
        """As callers without a pool do: a connection for each request."""
        while not done.is_set():
            async with httpx.AsyncClient(base_url=url, timeout=LONGEST) as client:
                statuses.append((await client.get(ASKED)).status_code)

    async with serving(simulator("symphony")) as pod_url:
        environ = configured(tmp_path, pod_url)
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            asking = [asyncio.create_task(ask(url)) for _ in range(4)]
            for _ in range(3):
                async with activated(listener, environ) as process:
                    said = await log_until(process, "listening")
                    assert said["address"] == url.removeprefix("http://")
                    before = len(statuses)
                    async with asyncio.timeout(LONGEST):
                        while len(statuses) < before + 20 and not any(each.done() for each in asking):  # noqa: ASYNC110  four add to it
                            await asyncio.sleep(0.01)
                    process.send_signal(signal.SIGTERM)
                    assert await asyncio.wait_for(process.wait(), LONGEST) == 0
            async with activated(listener, environ):
                done.set()
                await asyncio.gather(*asking)
    assert len(statuses) >= 60
    assert set(statuses) == {200}


async def test_the_file_of_a_unix_socket_stays(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    async with serving(simulator("symphony")) as pod_url:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            async with activated(listener, configured(tmp_path, pod_url)) as process:
                async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(path))) as client:
                    assert (await client.get(f"http://localhost{ASKED}", timeout=LONGEST)).status_code == 200
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), LONGEST) == 0
    assert path.is_socket()


async def test_a_socket_that_others_reach_is_no_way_to_be_open(tmp_path: Path) -> None:
    """The configuration names loopback, but the socket is on every address."""
    async with serving(simulator("symphony")) as pod_url:
        with socket.create_server(("0.0.0.0", 0)) as listener:
            async with activated(listener, configured(tmp_path, pod_url)) as process:
                assert await asyncio.wait_for(process.wait(), LONGEST) == 2


async def test_two_sockets_are_refused(tmp_path: Path) -> None:
    async with serving(simulator("symphony")) as pod_url:
        environ = configured(tmp_path, pod_url)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            async with activated(listener, environ, "2") as process:
                assert await asyncio.wait_for(process.wait(), LONGEST) == 1


def test_a_reload_may_not_open_it_either() -> None:
    settings = from_tables(tables(OWN))
    with (
        socket.create_server(("0.0.0.0", 0)) as listener,
        pytest.raises(ConfigurationError, match=r"server\.host: 0\.0\.0\.0"),
    ):
        as_inherited(settings, listener)


@pytest.mark.parametrize("environ", [{}, {"LISTEN_FDS": "1"}, {"LISTEN_FDS": "1", "LISTEN_PID": "1"}])
def test_a_socket_for_another_process_is_left_alone(environ: dict[str, str]) -> None:
    assert inherited_listener(environ) is None
    assert environ == {}
