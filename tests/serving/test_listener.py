"""Where the gateway listens for callers, and what it says where it can't."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.config.settings import ServerSettings
from gateway.server.listener import listen, where
from tests.configuration.files import CLUB

LONGEST = 60
"""Seconds after which a test that hangs has failed."""


@pytest.mark.parametrize(
    ("host", "families"),
    [
        ("::", {socket.AF_INET, socket.AF_INET6}),
        ("0::0", {socket.AF_INET, socket.AF_INET6}),
        ("0.0.0.0", {socket.AF_INET}),
        ("127.0.0.1", {socket.AF_INET}),
        ("::1", {socket.AF_INET6}),
        ("localhost", {socket.AF_INET}),
    ],
)
def test_a_host_says_on_which_kinds_of_addresses_it_listens(
    port: int, host: str, families: set[socket.AddressFamily]
) -> None:
    reached = set()
    with listen(ServerSettings(host=host, port=port)):
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family) as caller:
                if caller.connect_ex((address, port)) == 0:
                    reached.add(family)
    assert reached == families


@pytest.mark.parametrize(
    ("addresses", "family"),
    [(["::1"], socket.AF_INET6), (["::1", "127.0.0.1"], socket.AF_INET), (["127.0.0.1"], socket.AF_INET)],
)
def test_a_name_is_listened_on_at_its_ipv4_address_if_it_has_one(
    port: int, monkeypatch: pytest.MonkeyPatch, addresses: list[str], family: socket.AddressFamily
) -> None:
    resolve = socket.getaddrinfo

    def found(_name: str, *rest: Any, **named: Any) -> list[Any]:
        return [each for address in addresses for each in resolve(address, *rest, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with listen(ServerSettings(host="gateway.example", port=port)) as listener:
        assert listener.family == family


@pytest.mark.parametrize(("host", "shown"), [("::", "[::]"), ("::1", "[::1]"), ("127.0.0.1", "127.0.0.1")])
def test_an_address_that_is_taken_is_written_as_people_write_it(
    port: int, tmp_path: Path, host: str, shown: str
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(CLUB)
    settings = ServerSettings(host=host, port=port)
    assert where(settings) == f"{shown}:{port}"
    words = [sys.executable, "-m", "gateway", "serve", "--config", str(file)]
    environ = os.environ | {"GATEWAY_SERVER__HOST": host, "GATEWAY_SERVER__PORT": str(port)}
    with listen(settings):
        ended = subprocess.run(  # noqa: S603  our own
            words, capture_output=True, timeout=LONGEST, check=False, env=environ, text=True
        )
    said = f"connection-gateway: server: can't listen on {shown}:{port}: Address already in use\n"
    assert (ended.returncode, ended.stderr) == (1, said)
