"""The real process on real sockets: starting, serving, stopping."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import msgspec
import pytest

from adapters.simulation import Simulator, serving, simulator
from adapters.simulation.faults import Fault
from gateway.auth.callers import key_digest
from gateway.server.listener import listen_at
from tests.canary import on_duty
from tests.gateways import KEY, key_of

BOT = 'mode = "bot", username = "demo", private_key_file = "acme.pem"'
LONGEST = 30
"""Seconds after which a test that hangs has failed."""
COMMAND = [sys.executable, "-m", "gateway"]


class Process:
    """A running gateway, its address, and what it wrote to standard error in the end."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.url = url
        self.errors = b""

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def hang_up(self, client: httpx.AsyncClient, is_in_force: Callable[[httpx.Response], bool]) -> None:
        """Send SIGHUP, and wait until what it read is in force."""
        self.signal(signal.SIGHUP)
        async with asyncio.timeout(LONGEST):
            await asyncio.sleep(0.1)
            while not is_in_force(await client.get(ASKED)):  # noqa: ASYNC110  another process has no event
                await asyncio.sleep(0.05)

    async def ended(self) -> int:
        _, self.errors = await asyncio.wait_for(self.process.communicate(), LONGEST)
        assert self.process.returncode is not None
        on_duty().read(self.errors.decode(), "what a process wrote")
        return self.process.returncode


@asynccontextmanager
async def started(
    port: int,
    pod_url: str,
    folder: Path,
    mode: str = BOT,
    *,
    prefix: tuple[str, ...] = (),
    server: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Process]:
    """A gateway in front of this pod, once it is ready; `prefix` is a command that runs it."""
    (folder / "acme.pem").write_text(KEY)
    (folder / "acme.pem").chmod(0o600)
    (folder / "gateway.toml").write_text(f"""
        [server]
        port = {port}
        request_timeout = 5.0
        [platforms.acme]
        adapter = "symphony"
        base_url = "{pod_url}"
        credentials = {{ {mode} }}
    """)
    overrides = {f"GATEWAY_SERVER__{key.upper()}": value for key, value in server.items()}
    environ = os.environ | {"GATEWAY_CONFIG": str(folder / "gateway.toml")} | overrides
    serve = await asyncio.create_subprocess_exec(*prefix, *COMMAND, "serve", stderr=subprocess.PIPE, env=environ)
    try:
        wait = await asyncio.create_subprocess_exec(*COMMAND, "wait", env=environ)
        assert await wait.wait() == 0
        yield Process(serve, f"http://127.0.0.1:{port}")
    finally:
        if serve.returncode is None:
            serve.kill()
            await serve.communicate()


WEB = f"""
    [[callers]]
    name = "web"
    key_sha256 = "{key_digest(key_of("web"))}"
"""
ASKED = "/v1/connections/acme/1"


async def test_a_hangup_reads_callers_and_credentials_anew(port: int, tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    async with serving(simulator("symphony")) as pod_url, started(port, pod_url, tmp_path) as gateway:
        async with httpx.AsyncClient(base_url=gateway.url, headers={"X-API-Key": key_of("web")}) as client:
            first = file.read_text()
            assert (await client.get(ASKED)).json()["status"] == "none"
            file.write_text(first.replace('username = "demo"', 'username = "user-101"') + WEB)
            await gateway.hang_up(client, lambda answer: answer.json()["status"] == "connected")
            assert (await client.get(ASKED, headers={"X-API-Key": "other"})).status_code == 401
            file.write_text("[server")
            gateway.signal(signal.SIGHUP)
            file.write_text(first.replace("port =", "drain_timeout = 1\nport =") + WEB.replace("web", "bot"))
            await gateway.hang_up(client, lambda answer: answer.status_code == 200)
        gateway.signal(signal.SIGTERM)
        assert await gateway.ended() == 0
    lines = [msgspec.json.decode(line) for line in gateway.errors.splitlines()]
    events = [line["event"] for line in lines if line["event"] != "request"]
    assert events[:2] == ["listening", "reloaded"]
    assert events[-3:] == ["reloaded", "needs-restart", "stopped"]
    assert set(events) <= {"listening", "reloaded", "not-reloaded", "needs-restart", "stopped"}
    assert [line["setting"] for line in lines if "setting" in line][-1] == "server.drain_timeout"


async def test_a_hangup_before_the_end_changes_nothing(port: int, tmp_path: Path) -> None:
    pod = simulator("symphony")
    async with serving(pod) as pod_url, started(port, pod_url, tmp_path) as gateway:
        pod.misbehave(Fault(path="/info", delay=1.0))
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            asking = asyncio.create_task(client.get("/v1/connections/acme/103", timeout=10))
            await until(pod, calls=1)
            gateway.signal(signal.SIGTERM)
            await refusing(port)
            gateway.signal(signal.SIGHUP)
            assert (await asking).json()["status"] == "pending_outgoing"
        assert await gateway.ended() == 0
    assert b"reloaded" not in gateway.errors


async def test_what_its_operator_should_know_is_in_the_log(port: int, tmp_path: Path) -> None:
    async with serving(simulator("symphony")) as pod_url, started(port, pod_url, tmp_path) as gateway:
        (tmp_path / "acme.pem").chmod(0o644)
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            await gateway.hang_up(client, lambda _answer: True)
        gateway.signal(signal.SIGTERM)
        await gateway.ended()
    (line,) = [line for line in map(msgspec.json.decode, gateway.errors.splitlines()) if "warning" in line]
    assert (line["event"], line["warning"]) == ("configuration", "readable-by-everyone")
    assert line["setting"] == "platforms.acme.credentials.private_key_file"


async def refusing(port: int) -> None:
    """Wait until nobody is let in any more. Who connects in that very moment is reset."""
    with contextlib.suppress(ConnectionRefusedError, ConnectionResetError):
        async with asyncio.timeout(LONGEST):
            while True:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                await asyncio.sleep(0.01)


async def until(pod: Simulator, calls: int) -> None:
    """Wait until the pod has been asked this often."""
    async with asyncio.timeout(LONGEST):
        while pod.calls.calls < calls:  # noqa: ASYNC110  a simulator counts, it does not tell
            await asyncio.sleep(0.01)


async def test_the_process_serves_and_stops(port: int, tmp_path: Path) -> None:
    async with serving(simulator("symphony")) as pod_url, started(port, pod_url, tmp_path) as gateway:
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            assert (await client.get("/v1/connections/acme/103")).json()["status"] == "pending_outgoing"
        gateway.signal(signal.SIGTERM)
        assert await gateway.ended() == 0
    lines = [msgspec.json.decode(line) for line in gateway.errors.splitlines()]
    assert [line["event"] for line in lines if line.get("route") != "/readyz"] == ["listening", "request", "stopped"]


async def test_what_was_admitted_is_finished_before_it_stops(port: int, tmp_path: Path) -> None:
    pod = simulator("symphony")
    async with serving(pod) as pod_url, started(port, pod_url, tmp_path) as gateway:
        pod.misbehave(Fault(path="/info", delay=1.0))
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            asking = asyncio.create_task(client.get("/v1/connections/acme/103", timeout=10))
            await until(pod, calls=1)
            gateway.signal(signal.SIGTERM)
            assert (await asking).json()["status"] == "pending_outgoing"
        assert await gateway.ended() == 0


async def test_an_action_that_nobody_waits_for_is_finished_before_it_stops(port: int, tmp_path: Path) -> None:
    pod = simulator("symphony")
    async with serving(pod) as pod_url, started(port, pod_url, tmp_path) as gateway:
        pod.misbehave(Fault(path="/accept", delay=2.5))
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            answer = await client.post("/v1/connections/acme/102/accept", headers={"X-Request-Timeout-Ms": "1500"})
            assert answer.json()["type"] == "/problems/outcome-unknown"
        gateway.signal(signal.SIGTERM)
        assert await gateway.ended() == 0
        assert pod.platform.connection(1, 102) == "ACCEPTED"


async def test_a_second_signal_ends_it_at_once(port: int, tmp_path: Path) -> None:
    pod = simulator("symphony")
    async with serving(pod) as pod_url, started(port, pod_url, tmp_path) as gateway:
        pod.misbehave(Fault(path="/info", delay=60.0))
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            asking = asyncio.create_task(client.get("/v1/connections/acme/103", timeout=60))
            await until(pod, calls=1)
            gateway.signal(signal.SIGINT)
            await asyncio.sleep(0.3)
            gateway.signal(signal.SIGINT)
            assert await gateway.ended() == 0
            (answer,) = await asyncio.gather(asking, return_exceptions=True)
            assert not (isinstance(answer, httpx.Response) and answer.is_success)


async def raw(url: str, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_what_no_client_would_send(port: int, tmp_path: Path) -> None:
    pod = simulator("symphony")
    end = b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    async with serving(pod) as pod_url, started(port, pod_url, tmp_path) as gateway:
        for target, status in [
            (b"/v1/connections/acme/../acme/101", b"404"),
            (b"/v1/connections/acme/..", b"400"),
            (b"/v1/connections/acme/1%2f..%2f101", b"404"),
            (b"http://evil.example/v1/connections/acme/abc", b"400"),
            (b"//v1/connections/acme/101", b"404"),
        ]:
            answer = await raw(gateway.url, b"GET " + target + end)
            assert answer.split(b" ")[1] == status, target
        rebound = await raw(gateway.url, b"GET /docs HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        assert rebound.split(b" ")[1] == b"403"
    assert pod.calls.calls == 0


async def test_a_simulator_serves_until_it_is_stopped(port: int, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(KEY)
    process = await asyncio.create_subprocess_exec(
        *[*COMMAND, "simulate", "selfcommunity", "--port", str(port)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    said = (await process.stdout.readline()).decode()
    assert said == f"A simulated selfcommunity at http://127.0.0.1:{port}. Stop it with Ctrl+C.\n"
    async with httpx.AsyncClient(headers={"Authorization": "Bearer demo"}) as client:
        answer: dict[str, Any] = (await client.get(f"http://127.0.0.1:{port}/api/v2/user/me/")).json()
    assert answer == {"id": 1, "username": "demo"}
    process.terminate()
    assert await process.wait() == 0


async def test_the_demo_serves_until_it_is_stopped(port: int) -> None:
    process = await asyncio.create_subprocess_exec(
        *[*COMMAND, "demo", "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    lines = [(await process.stdout.readline()).decode().split() for _ in range(3)]
    async with httpx.AsyncClient() as client:
        answers = [await client.get(line[-1]) for line in lines]
    assert [line[:2] for line in lines] == [["curl", "-s"]] * 3
    assert [each.status_code for each in answers] == [200, 200, 200]
    process.terminate()
    _, errors = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in errors


async def test_a_simulator_that_is_at_work_stops_quietly(port: int) -> None:
    process = await asyncio.create_subprocess_exec(
        *[*COMMAND, "simulate", "symphony", "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url) as client:
        await client.put("/_simulator/faults", json={"delay": 60})
        asking = asyncio.create_task(client.get("/pod/v2/sessioninfo"))
        while (await client.get("/_simulator/calls")).json()["calls"] < 1:
            pass
        process.send_signal(signal.SIGINT)
        with pytest.raises(httpx.TransportError):
            await asking
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


async def test_what_is_not_finished_in_time_is_given_up(port: int, tmp_path: Path) -> None:
    pod = simulator("symphony")
    hour = {"request_timeout": "300.0", "drain_timeout": "1.0"}
    async with serving(pod) as pod_url, started(port, pod_url, tmp_path, server=hour) as gateway:
        pod.misbehave(Fault(path="/info", delay=300.0))
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            asking = asyncio.create_task(client.get("/v1/connections/acme/103", timeout=300))
            await until(pod, calls=1)
            gateway.signal(signal.SIGTERM)
            assert await gateway.ended() == 0
            (answer,) = await asyncio.gather(asking, return_exceptions=True)
    assert not (isinstance(answer, httpx.Response) and answer.is_success)


async def test_all_that_it_writes_are_its_own_lines(port: int, tmp_path: Path) -> None:
    async with serving(simulator("symphony")) as pod_url, started(port, pod_url, tmp_path) as gateway:
        answer = await raw(gateway.url, b"canary-5b1c9e\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400 ")
        gateway.signal(signal.SIGTERM)
        await gateway.ended()
    lines = [msgspec.json.decode(line) for line in gateway.errors.splitlines()]
    assert [line["problem"] for line in lines if line["event"] == "request" and line["status"] == 400] == [
        "invalid-request"
    ]
    assert b"canary" not in gateway.errors


@pytest.mark.parametrize(
    ("host", "address"),
    [
        *[("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("localhost", "127.0.0.1")],
        *[("::", "127.0.0.1"), ("::", "[::1]"), ("0:0::0", "127.0.0.1")],
    ],
)
async def test_the_process_listens_where_it_is_told_to(port: int, tmp_path: Path, host: str, address: str) -> None:
    callers = 'mode = "caller"'
    async with (
        serving(simulator("symphony")) as pod_url,
        started(port, pod_url, tmp_path, callers, server={"host": host}),
    ):
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://{address}:{port}/livez")
        assert answer.json() == {"status": "live"}


async def test_the_process_listens_on_a_unix_socket(port: int, tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    with socket.socket(socket.AF_UNIX) as before:  # left there by one that was killed
        before.bind(str(path))
    at = {"socket": str(path), "socket_mode": "0600"}
    async with serving(simulator("symphony")) as pod_url, started(port, pod_url, tmp_path, server=at) as gateway:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(path))) as client:
            answer = await client.get("http://localhost/v1/connections/acme/103")
            assert answer.json()["user_id"] == "103"
        second = await asyncio.create_subprocess_exec(
            *(*COMMAND, "serve", "--config", str(tmp_path / "gateway.toml")),
            env=os.environ | {"GATEWAY_SERVER__SOCKET": str(path)},
            stderr=subprocess.PIPE,
        )
        _, errors = await second.communicate()
        assert (second.returncode, b"Address already in use" in errors) == (1, True)
        gateway.signal(signal.SIGTERM)
        assert await gateway.ended() == 0
    assert not path.exists()


async def test_the_process_serves_on_while_others_hear_that_it_will_stop(port: int, tmp_path: Path) -> None:
    delay = {"drain_delay": "1.5"}
    async with (
        serving(simulator("symphony")) as pod_url,
        started(port, pod_url, tmp_path, server=delay) as gateway,
        httpx.AsyncClient(base_url=gateway.url) as client,
    ):
        assert (await client.get("/readyz")).status_code == 200
        gateway.signal(signal.SIGTERM)
        while (ready := await client.get("/readyz")).status_code == 200:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert (ready.status_code, ready.json()) == (503, {"status": "draining"})
        await asyncio.sleep(0.5)
        answer = await client.get("/v1/connections/acme/103")
        assert answer.json()["user_id"] == "103"
        assert answer.headers["connection"] == "close"
        assert await gateway.ended() == 0
        with pytest.raises(httpx.ConnectError):
            await client.get("/readyz")


def test_a_file_that_is_no_socket_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "precious"
    file.write_text("data")
    with pytest.raises(OSError, match="Address already in use"):
        listen_at(str(file), 0o600)
    assert file.read_text() == "data"
