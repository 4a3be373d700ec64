"""`config/compose.yaml` against the Compose specification, and the configuration that it mounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from gateway.cli.commands import main
from gateway.config.loader import load
from tests.operations.tools import CONFIG, output_of, run

FILE = CONFIG / "compose.yaml"
CHECK = ("check-jsonschema", "--builtin-schema", "vendor.compose-spec")


def services() -> dict[str, Any]:
    return dict(yaml.safe_load(FILE.read_text())["services"])


def test_the_file_is_as_the_specification_has_it() -> None:
    output_of(*CHECK, FILE)


def test_a_key_that_compose_does_not_know_is_found(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(FILE.read_text().replace("read_only:", "readonly:"))
    assert "readonly" in run(*CHECK, tmp_path / "compose.yaml").stdout


def test_what_it_mounts_exists() -> None:
    mounted = [volume.split(":")[0] for each in services().values() for volume in each.get("volumes", ())]
    assert len(mounted) == 5
    assert all((CONFIG / path).exists() for path in mounted)


def test_the_gateway_asks_the_simulators_that_run() -> None:
    settings = load(CONFIG / "compose/gateway.toml", {})
    assert settings.warnings == ()
    for name, platform in settings.platforms.items():
        _, adapter, _, port = services()[name]["command"]
        assert platform.base_url == f"http://127.0.0.1:{port}"
        assert type(platform).__struct_config__.tag == adapter


def test_nothing_is_published_beyond_loopback() -> None:
    ports = [port for each in services().values() for port in each.get("ports", ())]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_its_commands_are_ours() -> None:
    for name in ("symphony", "community"):
        command, *_ = services()[name]["command"]
        assert CliRunner().invoke(main, [command, "--help"]).exit_code == 0
