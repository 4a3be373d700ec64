"""The examples of the documents work as shown."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import click
import msgspec
import pytest
import yaml

from adapters.settings import ViewerSource
from adapters.simulation import serving
from gateway.cli.commands import main
from gateway.config.loader import load
from gateway.config.settings import Settings
from gateway.telemetry.log import Line
from tests.docs.pages import PAGES, ROOT, blocks, in_demo, in_tests, output, section, steady
from tests.gateways import KEY, OWN, Gateway, running

GATEWAY = "http://127.0.0.1:8080"
PLATFORM = """
[platforms.acme]
adapter = "symphony"
base_url = "https://acme.symphony.com"
credentials = { mode = "caller" }
"""
"""For examples of other tables."""
TOML = blocks("toml")
CONSOLE = "".join(text for _, text in blocks("console"))
RESPONSES = re.findall(r"^\$ (curl -s .*127\.0\.0\.1:8080/.*)\n(\{.*\})$", CONSOLE, re.MULTILINE)
COMMANDS = re.findall(r"^\$ (?:\.venv/bin/)?connection-gateway (.*)$", CONSOLE, re.MULTILINE)
PROGRAMS = [
    (program, re.findall(r"^\$ python3 \w+\.py\n(.*?)```", PAGES[page], re.DOTALL | re.MULTILINE)[0])
    for page, program in blocks("python")
]


def test_every_kind_of_example_is_found() -> None:
    assert (len(TOML), len(RESPONSES), len(PROGRAMS), len(COMMANDS)) == (7, 9, 2, 10)
    assert (len(blocks("json")), len(blocks("javascript")), len(blocks("yaml"))) == (2, 1, 1)


def test_every_code_block_is_of_a_kind_that_is_tested() -> None:
    kinds = {kind for text in PAGES.values() for kind in re.findall(r"^```(\S.*)$", text, re.MULTILINE)}
    assert kinds == {
        "console", "javascript", "json", "python", "sh", "text", "toml", "yaml", 'toml title="config/gateway.example.toml"',
        "css", "html", "js", "nginx", "tsx",  # tests/clients and tests/shared run those
        "http",
    }  # fmt: skip


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """The platforms of the demo."""
    async with running({**OWN, "site": {"mode": "password", "username": "demo", "password": "demo"}}) as demo:
        yield demo


def settings(folder: Path, text: str, environment: dict[str, str] | None = None) -> Settings:
    """As somebody has them who created the files that the text names."""
    (folder / "state").mkdir()
    for name in re.findall(r'_file = "([^"]+)"', text):
        (folder / name).write_text(KEY if name.endswith(".pem") else "5e" * 32)
        (folder / name).chmod(0o600)
    (folder / "gateway.toml").write_text(text if "[platforms." in text else text + PLATFORM)
    return load(folder / "gateway.toml", environment or {})


@pytest.mark.parametrize(("page", "text"), TOML)
def test_configurations_load_without_a_warning(tmp_path: Path, page: str, text: str) -> None:
    assert settings(tmp_path, text).warnings == (), page


@pytest.mark.parametrize(
    ("heading", "modes", "source", "callers"),
    [
        ("### With the users' own tokens", {"caller"}, ViewerSource.CALLER, 0),
        ("### As a bot", {"bot", "token", "oauth2"}, ViewerSource.OWN, 0),
        ("### On behalf of a pod's users", {"obo"}, ViewerSource.NAMED, 2),
        ("### With a community's server key", {"jwt"}, ViewerSource.NAMED, 1),
    ],
)
def test_four_ways_to_run_it_are_what_they_say(
    tmp_path: Path, heading: str, modes: set[str], source: ViewerSource, callers: int
) -> None:
    part = section("docs/authentication.md", heading)
    (text,) = (text for page, text in TOML if page == "docs/authentication.md" and text in part)
    found = settings(tmp_path, text)
    assert {each.mode for each in found.platforms.values()} == modes
    assert {each.credentials.viewer_source for each in found.platforms.values()} == {source}
    assert len(found.callers) == callers


def test_the_manifest_configures_a_gateway_that_starts(tmp_path: Path) -> None:
    ((_, text),) = blocks("yaml")
    pod = yaml.safe_load(text)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    environment = {each["name"]: each["value"] for each in container["env"]}
    ways = section("docs/authentication.md", "### On behalf of a pod's users")
    (table,) = (text for page, text in TOML if page == "docs/authentication.md" and text in ways)
    found = settings(tmp_path, table, environment)
    assert found.warnings == ()
    assert found.server.host == "0.0.0.0"
    assert pod["terminationGracePeriodSeconds"] > found.server.drain_delay + found.server.drain_timeout
    assert {container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")} == {
        "/livez",
        "/readyz",
    }
    (mount,) = container["volumeMounts"]
    assert f"GATEWAY_CONFIG={mount['mountPath']}/gateway.toml" in (ROOT / "Dockerfile").read_text()
    assert [mount["name"]] == [volume["name"] for volume in pod["volumes"]]


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
@pytest.mark.parametrize(("command", "shown"), RESPONSES)
async def test_responses_are_real(gateway: Gateway, command: str, shown: str) -> None:
    async with serving(gateway.app) as url:
        words = shlex.split(in_tests(command).replace(GATEWAY, url))
        response = in_demo(await output(*words))
    assert list(steady(response)) == list(steady(shown))
    assert steady(response) == steady(shown)


@pytest.mark.parametrize(("program", "printed"), PROGRAMS)
async def test_programs_empty_the_inbox(gateway: Gateway, program: str, printed: str) -> None:
    async with serving(gateway.app) as url:
        assert in_demo(await output(sys.executable, "-c", program.replace(GATEWAY, url))) == printed
    assert (await gateway.client.get("/v1/connections?status=pending_incoming")).json()["connections"] == []


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node")
async def test_the_frontend_prints_what_its_comments_say(gateway: Gateway) -> None:
    ((_, script),) = blocks("javascript")
    async with serving(gateway.app) as url:
        script = in_tests(script).replace(GATEWAY, url)
        found = await output("node", "--input-type=module", "-e", script)
        missing = await output("node", "--input-type=module", "-e", script.replace("club/102", "club/404404"))
    assert found == "pending_incoming false\nbutton: accept\nbutton: reject\n"
    assert missing == "/problems/user-not-found false\n"
    for printed in (found.splitlines()[0], missing.strip()):
        word, is_so = printed.split()
        assert f'// "{word}", {is_so}' in script


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_what_the_command_line_takes(command: str) -> None:
    """They are parsed, not run."""
    name, *words = shlex.split(command)
    found = main.commands[name]
    context = found.make_context(
        name, [word.replace("gateway.toml", __file__) for word in words], resilient_parsing=False
    )
    assert isinstance(context, click.Context)


@pytest.mark.parametrize(("page", "text"), blocks("json"))
def test_log_lines_have_the_fields_of_the_log(page: str, text: str) -> None:
    shown = msgspec.json.decode(text, type=dict[str, object])
    assert set(shown) <= set(Line.__struct_fields__), page
    assert msgspec.json.encode(msgspec.json.decode(text, type=Line)).decode() == text.strip()


async def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = {
        target for text in PAGES.values() for target in re.findall(r"(?:`|^\$ )make ([a-z-]+)", text, re.MULTILINE)
    }
    assert {"demo", "test", "check", "docs", "help"} <= named
    assert named == {target for target in named if re.search(rf"^{target}:", makefile, re.MULTILINE)}
