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

from adapters.contract import Action
from adapters.simulation import serving
from gateway.actions import GOALS
from gateway.problems import Kind
from gateway.sources import load
from tests.gateways import KEY, Gateway

README = (Path(__file__).parent.parent / "README.md").read_text()
TOML = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
ANSWERS = re.findall(r"^\$ (curl -s .*127\.0\.0\.1:8080/.*)\n(\{.*\})$", README, re.MULTILINE)
PRINTED = re.findall(r"^\$ python3 inbox\.py\n(.*?)```", README, re.DOTALL | re.MULTILINE)


def test_it_has_a_row_for_every_problem() -> None:
    rows = re.findall(r"^\| `/problems/([a-z-]+)` \| (\d+) \|", README, re.MULTILINE)
    assert rows == [(kind.slug, str(kind.status)) for kind in Kind]


def test_it_has_a_row_for_every_action() -> None:
    rows = dict(re.findall(rf"^\| `({'|'.join(Action)})` \| (.*) \|$", README, re.MULTILINE))
    assert {action: set(re.findall(r"`(\w+)`", rows[action])) for action in Action} == GOALS


@pytest.mark.parametrize("text", TOML)
def test_its_configurations_load(tmp_path: Path, text: str) -> None:
    (tmp_path / "acme.pem").write_text(KEY)
    (tmp_path / "club-token").write_text("token")
    (tmp_path / "gateway.toml").write_text(text)
    assert load(tmp_path / "gateway.toml", {}).platforms


def test_it_shows_what_it_should() -> None:
    assert (len(TOML), len(ANSWERS), len(PYTHON), len(PRINTED)) == (4, 7, 1, 1)


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
            return {name: None if name in {"as_of", "instance"} else without(each) for name, each in value.items()}
        case list():
            return [without(each) for each in value]
        case _:
            return value
