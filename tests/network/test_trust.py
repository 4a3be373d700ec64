"""The certificates that the environment names, and those of a proxy."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from adapters.simulation import Simulator, serving
from gateway.cli.commands import main
from tests.configuration.files import CLUB
from tests.network.asking import BOT, NOWHERE, ask
from tests.network.servers import Proxy
from tests.tls import Authority


async def test_a_proxy_is_trusted_as_the_platform_is(pod: Simulator, authority: Authority) -> None:
    async with serving(pod) as url:
        proxy = Proxy(url)
        async with proxy.running(authority.server()) as way:
            table = BOT | {"base_url": f"http://{NOWHERE}", "ca_file": str(authority.file), "proxy": way}
            assert way.startswith("https://")
            assert await ask(table) == "pending_outgoing"
    assert len(proxy.asked) == 2


@pytest.mark.parametrize("command", ["check", "serve"])
def test_certificates_that_are_not_there_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / "gateway.toml").write_text(f"{CLUB}[server]\nport = 1\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere"))
    monkeypatch.setattr("gateway.server.listener.listen", lambda *_: None)
    monkeypatch.setattr("gateway.telemetry.log.Log.take_over", lambda _log: None)
    result = CliRunner().invoke(main, [command, "--config", str(tmp_path / "gateway.toml")])
    assert result.exit_code == 2
    assert result.stderr == (
        "connection-gateway: configuration: SSL_CERT_FILE, SSL_CERT_DIR: expected certificates in PEM\n"
    )
