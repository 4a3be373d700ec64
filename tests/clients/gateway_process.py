"""A real gateway in a process of its own, at a TCP or a Unix address, in front of the demo's simulators."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from connection_gateway import Gateway
from connection_gateway.demo import Demo

from tests.canary import Watch
from tests.gateways import KEY, caller

LONGEST = 30.0
"""Seconds that it may take to start or stop."""


class GatewayProcess:
    """`url` is what a client is given; `acme` and `team` are one pod, `club` and `spare` one community.

    `team` is asked on behalf of users who are named, the others as one user.
    """

    def __init__(self, folder: Path, demo: Demo, at: str) -> None:
        self._config = folder / "gateway.toml"
        self._simulators = demo.simulators
        if at == "unix":
            self.url = f"unix:{folder}/gateway.sock"
            where = f'socket = "{folder}/gateway.sock"'
        else:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            self.url = f"http://127.0.0.1:{port}"
            where = f"port = {port}"
        (folder / "acme.pem").write_text(KEY)
        (folder / "acme.pem").chmod(0o600)
        self._config.write_text(_config(where, demo))
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        environ = os.environ | {"GATEWAY_PLATFORMS__CLUB__CREDENTIALS__TOKEN": "demo"}
        environ |= {"GATEWAY_PLATFORMS__SPARE__CREDENTIALS__TOKEN": "demo"}
        self._process = subprocess.Popen(  # noqa: S603  the gateway itself
            [sys.executable, "-m", "gateway", "serve", "--config", self._config],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with Gateway(self.url) as gateway:
            gateway.wait_ready(LONGEST)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            _, errors = self._process.communicate(timeout=LONGEST)
            if Watch.on_duty is not None:
                Watch.on_duty.read(errors, "what a process wrote")
            self._process = None

    @contextmanager
    def fault(self, simulator: str, **fault: Any) -> Iterator[None]:
        """Every call to this simulator goes wrong so, until the end."""
        at = f"{self._simulators[simulator]}/_simulator/faults"
        httpx.put(at, json=fault).raise_for_status()
        try:
            yield
        finally:
            httpx.delete(at).raise_for_status()

    def set(self, simulator: str, viewer: int, user: int, status: str | None) -> None:
        """In the platform's own word."""
        at = f"{self._simulators[simulator]}/_simulator/connections/{viewer}/{user}"
        httpx.put(at, json={"status": status}).raise_for_status()

    def calls(self, simulator: str) -> int:
        """How often it was asked for anything."""
        return int(httpx.get(f"{self._simulators[simulator]}/_simulator/calls").json()["calls"])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _config(where: str, demo: Demo) -> str:
    bot, reader = (caller(name)["key_sha256"] for name in ("bot", "reader"))
    return f"""
        [server]
        {where}
        request_timeout = 5.0
        [cache]
        fresh_for = 0
        [[callers]]
        name = "bot"
        key_sha256 = "{bot}"
        may = ["read", "act"]
        on_behalf_of = ["*"]
        [[callers]]
        name = "reader"
        key_sha256 = "{reader}"
        [platforms.acme]
        adapter = "symphony"
        base_url = "{demo.simulators["symphony"]}"
        credentials = {{ mode = "bot", username = "demo", private_key_file = "acme.pem" }}
        [platforms.team]
        adapter = "symphony"
        base_url = "{demo.simulators["symphony"]}"
        credentials = {{ mode = "obo", app_id = "app", private_key_file = "acme.pem" }}
        [platforms.club]
        adapter = "selfcommunity"
        base_url = "{demo.simulators["community"]}"
        credentials = {{ mode = "token" }}
        [platforms.spare]
        adapter = "selfcommunity"
        base_url = "{demo.simulators["community"]}"
        credentials = {{ mode = "token" }}
    """
