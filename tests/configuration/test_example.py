"""The example configuration shows every key, and loads."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from gateway import conversion
from tests.configuration.files import loaded

TEXT = (Path(__file__).parent.parent.parent / "config" / "gateway.example.toml").read_text()


def test_the_example_shows_every_key_once() -> None:
    shown = re.findall(r"^(?:# )?(\w+) = ", TEXT, re.MULTILINE) + re.findall(r"[{,] (\w+) = ", TEXT)
    secrets = {path[-1] for path in conversion.SECRETS}
    assert set(shown) == {path[-1] for path, _ in conversion.LEAVES} - secrets | {"credentials"}
    server = re.findall(r"^(?:# )?(\w+) = ", TEXT.partition("[platforms")[0], re.MULTILINE)
    assert len(server) == len(set(server))


def test_the_example_loads_as_it_stands(folder: Path) -> None:
    text = TEXT
    for path in re.findall(r'_file = "([^"]+)"', text):
        text = text.replace(path, "acme.pem" if path.endswith(".pem") else "token")
    settings = loaded(folder, text)
    assert {each.mode for each in settings.platforms.values()} == {"bot", "token", "caller"}


def test_the_example_loads_with_every_line_of_it_in_force(folder: Path) -> None:
    text = re.sub(r"^# (?=\w+ = )", "", TEXT, flags=re.MULTILINE)
    for path in re.findall(r'_file = "([^"]+)"', text):
        text = text.replace(path, "acme.pem" if path.endswith(".pem") else "token")
    tomllib.loads(text)
    assert loaded(folder, text).server.hash_key is not None
