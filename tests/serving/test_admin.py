"""`server.admin`: a listener for probes and metrics, asked by address, beside an API that is not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tests.canary import on_duty
from tests.serving.test_process import COMMAND, LONGEST

CONFIGURATION = """
    [server]
    port = {port}
    admin = "127.0.0.1:{admin}"
    drain_delay = 2.0
    header_timeout = 0.5
    [platforms.acme]
    adapter = "symphony"
    base_url = "http://127.0.0.1:9"
    credentials = {{ mode = "caller" }}
"""
BY_ADDRESS = {"Host": "10.1.2.3:9464"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


async def send_half_a_head(port: int) -> None:
    """And wait until that has taken too long."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\n")
    assert await asyncio.wait_for(reader.read(), LONGEST) == b""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def test_probes_and_metrics_have_a_listener_and_nothing_else_has_it(port: int, tmp_path: Path) -> None:
    admin_port = free_port()
    (tmp_path / "gateway.toml").write_text(CONFIGURATION.format(port=port, admin=admin_port))
    environ = os.environ | {"GATEWAY_CONFIG": str(tmp_path / "gateway.toml")}
    process = await asyncio.create_subprocess_exec(*COMMAND, "serve", stderr=subprocess.PIPE, env=environ)
    try:
        wait = await asyncio.create_subprocess_exec(*COMMAND, "wait", env=environ)
        assert await wait.wait() == 0
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as api,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{admin_port}", headers=BY_ADDRESS) as admin,
        ):
            for path in ("/livez", "/readyz", "/metrics"):
                assert (await admin.get(path)).status_code == 200
            for path in ("/v1/platforms", "/v1/connections/acme/1", "/openapi.json", "/docs", "/", "/metrics/x"):
                answer = await admin.get(path)
                assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
            assert (await admin.post("/metrics", content=b"x" * 1000)).status_code == 405
            assert (await admin.get("/livez", headers={"Host": "a b"})).status_code == 400
            assert (await api.get("/v1/platforms")).status_code == 200
            assert (await api.get("/readyz", headers=BY_ADDRESS)).status_code == 200
            assert (await api.get("/metrics")).status_code == 404
            assert 'http_route="/v1/platforms"' in (await admin.get("/metrics")).text
            assert "/metrics" not in (await api.get("/openapi.json")).json()["paths"]
            await send_half_a_head(port)
            shown = (await admin.get("/metrics")).text
            assert 'connection_gateway_connections_cut_off_total{reason="timeout"} 1.0' in shown
            assert "connection_gateway_draining 0.0" in shown
            assert float(shown.split("\nconnection_gateway_connections ")[1].split()[0]) >= 1
            assert float(shown.split("\nconnection_gateway_event_loop_lag_seconds ")[1].split()[0]) > 0
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(LONGEST):
                while (await admin.get("/readyz")).status_code == 200:  # noqa: ASYNC110  another process
                    await asyncio.sleep(0.01)
            assert "connection_gateway_draining 1.0" in (await admin.get("/metrics")).text
        _, errors = await asyncio.wait_for(process.communicate(), LONGEST)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 0
    on_duty().read(errors.decode(), "what a process wrote")
    lines: list[dict[str, Any]] = [msgspec.json.decode(line) for line in errors.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert {line.get("route") for line in requests if "problem" not in line} == {"/v1/platforms", "/openapi.json"}
    assert {line["problem"] for line in requests if "problem" in line} == {
        "not-found",
        "method-not-allowed",
        "invalid-request",
    }


async def test_an_address_that_is_taken_is_one_line(port: int, tmp_path: Path) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        admin_port = taken.getsockname()[1]
        (tmp_path / "gateway.toml").write_text(CONFIGURATION.format(port=port, admin=admin_port))
        command = [*COMMAND, "serve", "--config", str(tmp_path / "gateway.toml")]
        process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
        _, errors = await asyncio.wait_for(process.communicate(), LONGEST)
    said = f"connection-gateway: server.admin: can't listen on 127.0.0.1:{admin_port}: Address already in use\n"
    assert (process.returncode, errors.decode()) == (1, said)
