"""Who takes part: the gateway, and what a team would pick instead. Each has one process, on a core of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from benchmarks import nginx
from benchmarks.load import TOKEN
from benchmarks.processes import CORES, Process, free_port

HERE: Final = Path(__file__).parent
PEERS: Final = HERE / "peers"
ENVIRONMENTS: Final = HERE / ".venv"
PEERS_PYTHON: Final = ENVIRONMENTS / "peers" / "bin" / "python"
OURS: Final = ENVIRONMENTS / "gateway" / "bin" / "connection-gateway"
NODE: Final = shutil.which("node")
NODE_MODULES: Final = PEERS / "node_modules"
HEADERS: Final = {"sessionToken": TOKEN}
PATH: Final = "/v1/connections/acme/769658112378"

GATEWAY: Final = "this gateway"
ONE_WORKER: Final = "this gateway, one worker"
TWO_WORKERS: Final = "this gateway, two workers"
CACHED: Final = "this gateway, cached"
FASTAPI: Final = "FastAPI + pydantic + httpx"
STARLETTE: Final = "Starlette + httpx"
FASTIFY: Final = "Node, Fastify + undici"
NJS: Final = "nginx with njs"
PROXY: Final = "nginx, plain proxy (the floor)"
KEEPS: Final = "[cache]\nfresh_for = 600.0\n"
BARE: Final = "a bare Starlette route"
GATEWAY_OF_A_COMMUNITY: Final = "this gateway, in front of a simulated community"
EVENTS_SECRET: Final = "the-secret-of-the-webhook"


class Servers:
    """Starts any of them in front of one platform, whose files are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Process] = []
        port = free_port()
        self.platform = self._start("platform", nginx.platform(folder, port), port, cores=CORES[-1:])
        self.platform.wait("/calls", {})
        self._upstream = f"127.0.0.1:{port}"
        self._community = ""

    def community(self) -> Process:
        """A simulated community, for the gateway that is started next."""
        port = free_port()
        started = self._start(
            "community", [str(OURS), "simulate", "selfcommunity", "--port", str(port)], port, cores=CORES[-1:]
        )
        started.wait("/_simulator/calls", {})
        self._community = f"127.0.0.1:{port}"
        return started

    def start(self, name: str) -> Process:
        """It has not answered yet."""
        port = free_port()
        where = {"UPSTREAM": f"http://{self._upstream}", "PORT": str(port)}
        commands: dict[str, Callable[[], list[str]]] = {
            GATEWAY: lambda: self._gateway(port, ""),
            CACHED: lambda: self._gateway(port, KEEPS),
            ONE_WORKER: lambda: self._gateway(port, KEEPS),
            TWO_WORKERS: lambda: [*self._gateway(port, KEEPS), "--workers", "2"],
            GATEWAY_OF_A_COMMUNITY: lambda: self._gateway_of_a_community(port),
            FASTAPI: lambda: _uvicorn("fastapi_peer", port),
            STARLETTE: lambda: _uvicorn("starlette_peer", port),
            BARE: lambda: _uvicorn("bare", port),
            FASTIFY: lambda: [str(NODE), str(PEERS / "fastify.mjs")],
            NJS: lambda: nginx.njs(self._folder, port, self._upstream, PEERS / "translate.js"),
            PROXY: lambda: nginx.proxy(self._folder, port, self._upstream),
        }
        cores = CORES if name in {ONE_WORKER, TWO_WORKERS} else CORES[:1]
        return self._start(name, commands[name](), port, cores=cores, env=where)

    def ready(self, name: str) -> Process:
        started = self.start(name)
        started.wait("/readyz" if name == GATEWAY_OF_A_COMMUNITY else PATH, HEADERS)
        return started

    def stop(self, *processes: Process) -> None:
        for each in processes or tuple(self._running):
            each.stop()
            self._running.remove(each)

    def _start(
        self,
        name: str,
        command: list[str],
        port: int,
        *,
        cores: Collection[int],
        env: Mapping[str, str] | None = None,
    ) -> Process:
        started = Process(name, command, port, self._folder / f"{port}.log", cores=cores, env=env)
        self._running.append(started)
        return started

    def _gateway_of_a_community(self, port: int) -> list[str]:
        token, secret = self._secret("token", "demo"), self._secret("secret", EVENTS_SECRET)
        config = self._folder / f"gateway-{port}.toml"
        config.write_text(
            f"[server]\nport = {port}\n[watch]\ninterval = 3600.0\n[platforms.club]\nadapter = 'selfcommunity'\n"
            f"base_url = 'http://{self._community}'\ncredentials = {{ mode = 'token', token_file = '{token}' }}\n"
            f"events = {{ secret_file = '{secret}' }}\n"
        )
        return [str(OURS), "serve", "--config", str(config)]

    def _secret(self, name: str, content: str) -> Path:
        file = self._folder / name
        file.write_text(content)
        file.chmod(0o600)
        return file

    def _gateway(self, port: int, more: str) -> list[str]:
        config = self._folder / f"gateway-{port}.toml"
        config.write_text(
            f"[server]\nport = {port}\n{more}[platforms.acme]\nadapter = 'symphony'\n"
            f"base_url = 'http://{self._upstream}'\ncredentials = {{ mode = 'caller' }}\n"
        )
        return [str(OURS), "serve", "--config", str(config)]


def missing() -> dict[str, str]:
    """Peers that can't take part here, and why."""
    why: dict[str, str] = {}
    if not PEERS_PYTHON.exists():
        for name in (FASTAPI, STARLETTE, BARE):
            why[name] = "no environment: make bench makes it"
    if NODE is None or not NODE_MODULES.is_dir():
        why[FASTIFY] = "no node" if NODE is None else "no node_modules: make bench installs them"
    if nginx.NJS is None or not nginx.NJS.exists():
        why[NJS] = "no njs module for nginx"
    return why


def _uvicorn(module: str, port: int) -> list[str]:
    usual = "--loop uvloop --http httptools --no-access-log --log-level warning --backlog 4096"
    return [
        *(str(PEERS_PYTHON), "-m", "uvicorn", f"{module}:app", "--app-dir", str(PEERS), "--port", str(port)),
        *usual.split(),
    ]
