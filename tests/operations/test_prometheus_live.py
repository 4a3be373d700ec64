"""A real Prometheus scrapes a real gateway: alerts fire while a platform fails, and clear after it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from adapters.simulation import serving, simulator
from adapters.simulation.faults import Fault
from gateway.auth.callers import key_digest
from tests.gateways import key_of
from tests.operations.test_grafana import WINDOW, queries
from tests.operations.tools import CONFIG, PATH, needs
from tests.serving.test_process import COMMAND

LONGEST: Final = 120
"""Seconds that anything here may take."""
SHORT: Final = "10s"
"""In place of the minutes and hours that the alerts look back."""
TOKENS: Final = [f"token-of-viewer-{number}" for number in range(50)]
FIRING: Final = {
    "ConnectionGatewayBreakerOpen",
    "ConnectionGatewayPlatformErrors",
    "ConnectionGatewayErrorBudgetFast",
}
GATEWAY: Final = """
    [server]
    port = {port}
    admin = "127.0.0.1:{admin}"
    request_timeout = 5.0
    [cache]
    fresh_for = 0.5
    stale_for = 0.5
    [[callers]]
    name = "web"
    key_sha256 = "{digest}"
    [platforms.acme]
    adapter = "symphony"
    base_url = "{acme}"
    credentials = {{ mode = "caller" }}
    [platforms.club]
    adapter = "selfcommunity"
    base_url = "{club}"
    credentials = {{ mode = "oauth2", client_id = "demo", username = "demo", client_secret_file = "secret", password_file = "password" }}
"""
PROMETHEUS: Final = """
global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: [ alerts.yaml ]
scrape_configs:
  - job_name: connection-gateway
    static_configs: [ {{ targets: [ "127.0.0.1:{admin}" ] }} ]
"""


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in sockets]


@asynccontextmanager
async def process(*words: str | Path, cwd: Path, **environ: str) -> AsyncIterator[None]:
    found = await asyncio.create_subprocess_exec(
        *words, cwd=cwd, env=os.environ | environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        found.send_signal(signal.SIGTERM)
        await asyncio.wait_for(found.wait(), LONGEST)


def hurried(rules: str) -> str:
    """The same rules, which look back on seconds and wait for one."""
    return re.sub(r"for: \d+[mh]", "for: 1s", re.sub(r"\[\d+[mh]\]", f"[{SHORT}]", rules))


async def until(client: httpx.AsyncClient, is_so: Callable[[set[str]], bool]) -> None:
    """Until this is so of the alerts that fire."""
    async with asyncio.timeout(LONGEST):
        while True:
            with contextlib.suppress(httpx.TransportError, httpx.HTTPStatusError):  # it is still starting
                alerts = (await client.get("/api/v1/alerts")).raise_for_status().json()["data"]["alerts"]
                if is_so({each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}):
                    return
            await asyncio.sleep(0.5)


async def ask_for_ever(url: str) -> None:
    """As ever other viewers, or the failures would be one viewer's, and no breaker's matter."""
    async with httpx.AsyncClient(base_url=url, headers={"X-API-Key": key_of("web")}, timeout=LONGEST) as client:
        for number in range(1_000_000):
            with contextlib.suppress(httpx.TransportError):
                viewer = {"X-Platform-Token": f"acme={TOKENS[number % len(TOKENS)]}"}
                for platform in ("acme", "club"):
                    await client.get(f"/v1/connections/{platform}/{1000 + number % 900}", headers=viewer)
                users = [{"platform": "club", "user_id": str(1000 + number % 900 + each)} for each in range(9)]
                await client.post("/v1/lookup", json={"users": users})
            await asyncio.sleep(0.15)


@needs("prometheus")
async def test_alerts_fire_and_clear_and_every_panel_has_data(tmp_path: Path) -> None:
    port, admin, scraper = free_ports(3)
    pod, community = simulator("symphony"), simulator("selfcommunity")
    for token in TOKENS:
        pod.platform.tokens.accept(token, 1)
    (tmp_path / "secret").write_text("demo-secret-of-the-simulated-community")
    (tmp_path / "password").write_text("demo")
    (tmp_path / "alerts.yaml").write_text(hurried((CONFIG / "prometheus/alerts.yaml").read_text()))
    (tmp_path / "prometheus.yml").write_text(PROMETHEUS.format(admin=admin))
    binary = shutil.which("prometheus", path=PATH) or "prometheus"
    flags = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{scraper}"]
    async with serving(pod) as acme, serving(community) as club:
        text = GATEWAY.format(port=port, admin=admin, digest=key_digest(key_of("web")), acme=acme, club=club)
        (tmp_path / "gateway.toml").write_text(text)
        async with (
            process(*COMMAND, "serve", cwd=tmp_path, GATEWAY_CONFIG="gateway.toml", PYTHONPATH=str(CONFIG.parent)),
            process(binary, *flags, cwd=tmp_path),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{scraper}", timeout=LONGEST) as prometheus,
        ):
            asking = asyncio.create_task(ask_for_ever(f"http://127.0.0.1:{port}"))
            try:
                await until(prometheus, lambda firing: not firing)
                pod.misbehave(Fault(status=500))
                await until(prometheus, FIRING.issubset)
                assert {query for query in queries() if not await data(prometheus, query)} == set()
                pod.misbehave()
                await until(prometheus, FIRING.isdisjoint)
            finally:
                asking.cancel()


async def data(prometheus: httpx.AsyncClient, query: str) -> list[Any]:
    answer = await prometheus.get("/api/v1/query", params={"query": query.replace(WINDOW, SHORT)})
    found: dict[str, Any] = msgspec.json.decode(answer.content)
    assert found["status"] == "success", found
    return list(found["data"]["result"])
