"""The README says only what is true."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from gateway.problems import Kind
from gateway.sources import load
from tests.gateways import KEY, Gateway

README = (Path(__file__).parent.parent / "README.md").read_text()
TOML = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
ANSWERS = re.findall(r"^\$ curl -s http://127\.0\.0\.1:8080(\S+)\n(\{.*\})$", README, re.MULTILINE)


def test_it_has_a_row_for_every_problem() -> None:
    rows = re.findall(r"^\| `/problems/([a-z-]+)` \| (\d+) \|", README, re.MULTILINE)
    assert rows == [(kind.slug, str(kind.status)) for kind in Kind]


@pytest.mark.parametrize("text", TOML)
def test_its_configurations_load(tmp_path: Path, text: str) -> None:
    (tmp_path / "acme.pem").write_text(KEY)
    (tmp_path / "club-token").write_text("token")
    (tmp_path / "gateway.toml").write_text(text)
    assert load(tmp_path / "gateway.toml", {}).platforms


def test_it_shows_what_it_should() -> None:
    assert len(TOML) == 4
    assert len(ANSWERS) == 4


@pytest.mark.parametrize(("path", "shown"), ANSWERS)
async def test_its_answers_are_real(gateway: Gateway, path: str, shown: str) -> None:
    """The demo calls `acme` and `club` of the tests `symphony` and `community`."""
    asked = path.replace("/symphony/", "/acme/").replace("/community/", "/club/")
    answer = (await gateway.client.get(asked)).text.replace('"acme"', '"symphony"').replace('"club"', '"community"')
    assert list(volatile(answer)) == list(volatile(shown))
    assert volatile(answer) == volatile(shown)


def volatile(text: str) -> dict[str, object]:
    """An answer without what differs each time."""
    answer: dict[str, object] = msgspec.json.decode(text)
    return {name: None if name in {"as_of", "instance"} else value for name, value in answer.items()}
