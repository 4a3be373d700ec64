from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.commands import main
from tests.canary import on_duty
from tests.cli.served import Run, Served
from tests.gateways import KEY


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command; the environment is this test's alone."""
    monkeypatch.delenv("GATEWAY_CONFIG", raising=False)

    def run(*words: str, **environ: str) -> Result:
        result = CliRunner().invoke(main, words, env=environ, catch_exceptions=False)
        on_duty().read(result.stderr, "what a command wrote")
        return result

    return run


@pytest.fixture
def pod() -> Iterator[Served]:
    with Served("symphony") as served:
        yield served


@pytest.fixture
def community() -> Iterator[Served]:
    with Served("selfcommunity") as served:
        yield served


@pytest.fixture
def config(tmp_path: Path, pod: Served, community: Served) -> str:
    (tmp_path / "acme.pem").write_text(KEY)
    (tmp_path / "acme.pem").chmod(0o600)
    file = tmp_path / "gateway.toml"
    file.write_text(f"""
        [platforms.acme]
        adapter = "symphony"
        base_url = "{pod.url}"
        credentials = {{ mode = "bot", username = "demo", private_key_file = "acme.pem" }}
        [platforms.club]
        adapter = "selfcommunity"
        base_url = "{community.url}"
        credentials = {{ mode = "caller" }}
    """)
    return str(file)
