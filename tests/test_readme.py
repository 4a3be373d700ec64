"""The README says only what is true."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from adapters.contract import Action
from adapters.settings import ViewerSource
from adapters.simulation import serving
from gateway.cli import main
from gateway.config.caller_settings import CallerSettings
from gateway.config.loader import load
from gateway.config.settings import Settings
from gateway.explain.timeline import StepKind
from gateway.platforms.actions import GOALS
from gateway.problems.problem import Kind
from tests.gateways import KEY, Gateway

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
TABLES = re.compile(r"```toml\n(.*?)```", re.DOTALL)
TOML = TABLES.findall(README)
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
ANSWERS = re.findall(r"^\$ (curl -s .*127\.0\.0\.1:8080/.*)\n(\{.*\})$", README, re.MULTILINE)
DIFFERS = {"as_of", "instance", "at_ms", "took_ms", "age_ms"}
PRINTED = re.findall(r"^\$ python3 inbox\.py\n(.*?)```", README, re.DOTALL | re.MULTILINE)


def test_it_has_a_row_for_every_problem() -> None:
    rows = re.findall(r"^\| `/problems/([a-z-]+)` \| (\d+) \|", README, re.MULTILINE)
    assert rows == [(kind.slug, str(kind.status)) for kind in Kind]


def test_it_has_a_row_for_every_action() -> None:
    rows = dict(re.findall(rf"^\| `({'|'.join(Action)})` \| (.*) \|$", README, re.MULTILINE))
    assert {action: set(re.findall(r"`(\w+)`", rows[action])) for action in Action} == GOALS


def test_it_has_every_step_of_an_explanation() -> None:
    section = README.partition("| `step` | what took place |")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| [a-z]", section, re.MULTILINE)
    assert {step for row in rows for step in re.findall(r"`(\w+)`", row)} == set(StepKind)


def test_it_has_every_call() -> None:
    section = README.partition("## The HTTP API of this version")[2].partition("\n### ")[0]
    said = {
        path for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for path in re.findall(r"(/[^`?]*)", row)
    }
    assert said == set(msgspec.json.decode(CliRunner().invoke(main, ["openapi"]).output)["paths"])


def settings(folder: Path, text: str) -> Settings:
    """As somebody has them who made the files that the text names."""
    (folder / "state").mkdir()
    for name in re.findall(r'_file = "([^"]+)"', text):
        (folder / name).write_text(KEY if name.endswith(".pem") else "x" * 32)
        (folder / name).chmod(0o600)
    (folder / "gateway.config.toml").write_text(text)
    return load(folder / "gateway.config.toml", {})


@pytest.mark.parametrize("text", TOML)
def test_its_configurations_load_without_a_warning(tmp_path: Path, text: str) -> None:
    assert settings(tmp_path, text).warnings == ()


@pytest.mark.parametrize(
    ("heading", "modes", "source", "callers"),
    [
        ("Beside an application, with its users' tokens", {"caller"}, ViewerSource.CALLER, 0),
        ("As a bot", {"bot", "token", "oauth2"}, ViewerSource.OWN, 0),
        ("On behalf of a pod's users", {"obo"}, ViewerSource.NAMED, 2),
        ("With a community's server key", {"jwt"}, ViewerSource.NAMED, 1),
    ],
)
def test_it_shows_four_ways_to_run_it(
    tmp_path: Path, heading: str, modes: set[str], source: ViewerSource, callers: int
) -> None:
    (text,) = TABLES.findall(README.partition(f"### {heading}\n")[2].partition("\n### ")[0])
    found = settings(tmp_path, text)
    assert {each.mode for each in found.platforms.values()} == modes
    assert {each.credentials.viewer_source for each in found.platforms.values()} == {source}
    assert len(found.callers) == callers


def test_it_tells_what_a_caller_may() -> None:
    section = README.partition("### Who may ask")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert set(rows) == set(CallerSettings.__struct_fields__) - {"name", "key_sha256"}


def test_it_tells_every_event_of_the_log() -> None:
    said = README.partition("### What it writes")[2].partition("\n## ")[0]
    source = "".join(file.read_text() for file in (ROOT / "gateway").rglob("*.py"))
    events = set(re.findall(r'\.(?:line|failure)\(\s*"([a-z-]+)"', source))
    assert {"audit", "reloaded", "needs-restart", "platform"} <= events
    assert {event for event in events if f"`{event}`" not in said} == set()


def test_it_shows_what_it_should() -> None:
    assert (len(TOML), len(ANSWERS), len(PYTHON), len(PRINTED)) == (5, 8, 1, 1)


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
@pytest.mark.parametrize(("command", "shown"), ANSWERS)
async def test_its_answers_are_real(gateway: Gateway, command: str, shown: str) -> None:
    """The demo calls `acme` and `club` of the tests `symphony` and `community`."""
    async with serving(gateway.app) as url:
        words = shlex.split(in_tests(command).replace("http://127.0.0.1:8080", url))
        answer = in_demo(await output(*words))
    assert list(steady(answer)) == list(steady(shown))
    assert steady(answer) == steady(shown)


async def test_its_program_empties_the_inbox(gateway: Gateway) -> None:
    async with serving(gateway.app) as url:
        printed = in_demo(await output(sys.executable, "-c", PYTHON[0].replace("http://127.0.0.1:8080", url)))
    assert printed == PRINTED[0]
    assert (await gateway.client.get("/v1/connections?status=pending_incoming")).json()["connections"] == []


async def output(*words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        shutil.which(words[0]) or words[0], *words[1:], stdout=PIPE, env={"PYTHONIOENCODING": "utf-8"}
    )
    printed, _ = await asyncio.wait_for(process.communicate(), timeout=30)
    assert process.returncode == 0
    return printed.decode()


def in_tests(text: str) -> str:
    return re.sub(r"([/\"])community\b", r"\1club", re.sub(r"([/\"])symphony\b", r"\1acme", text))


def in_demo(text: str) -> str:
    return re.sub(r"([/\"])club\b", r"\1community", re.sub(r"([/\"])acme\b", r"\1symphony", text))


def steady(text: str) -> Any:
    """An answer without what differs each time."""
    return without(msgspec.json.decode(text))


def without(value: Any) -> Any:
    match value:
        case dict():
            return {name: None if name in DIFFERS else without(each) for name, each in value.items()}
        case list():
            return [without(each) for each in value]
        case _:
            return value
