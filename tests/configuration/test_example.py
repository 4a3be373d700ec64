"""The example configuration shows every key, and loads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args, get_type_hints

from adapters import ADAPTERS, adapter_name
from adapters.settings import PlatformSettings
from gateway.config import schema
from tests.callers.tokens import RSA, pem
from tests.configuration.files import loaded
from tests.tls import Authority

TEXT = (Path(__file__).parent.parent.parent / "config" / "gateway.example.toml").read_text()


def test_the_example_shows_every_key_once() -> None:
    shown = re.findall(r"^(?:# )?(\w+) = ", TEXT, re.MULTILINE) + re.findall(r"[{,] (\w+) = ", TEXT)
    secrets = {path[-1] for path in schema.SECRETS}
    assert set(shown) == {path[-1] for path, _ in schema.LEAVES} - secrets | {"credentials"}
    server = re.findall(r"^(?:# )?(\w+) = ", TEXT.partition("[platforms")[0], re.MULTILINE)
    assert len(server) == len(set(server))


def test_the_example_loads_as_it_stands(folder: Path) -> None:
    settings = loaded(folder, with_files_of(folder, TEXT))
    modes = {adapter_name(each): set(modes_of(each)) for each in ADAPTERS}
    shown: dict[str, set[str]] = {}
    for platform in settings.platforms.values():
        shown.setdefault(adapter_name(platform), set()).add(platform.mode)
    assert all(shown[name] | {"caller"} == modes[name] for name in modes)


def test_the_example_loads_with_every_line_of_it_in_force(folder: Path) -> None:
    text = re.sub(r"^# (?=\w+ = |\[)", "", TEXT, flags=re.MULTILINE)
    settings = loaded(folder, with_files_of(folder, text))
    assert settings.server.hash_key is not None
    assert settings.platforms["acme"].ca_file == str(folder / "ca.pem")


def with_files_of(folder: Path, text: str) -> str:
    Authority(folder)
    (folder / "public.pem").write_text(pem(RSA))
    (folder / "shared-key").write_text("5e" * 32)
    (folder / "previous-shared-key").write_text("6f" * 32)
    ends = {
        "-ca.pem": "ca.pem",
        "-public.pem": "public.pem",
        ".pem": "acme.pem",
        "hash-key": "hash-key",
        "previous-shared-key": "previous-shared-key",
        "shared-key": "shared-key",
        "": "token",
    }
    for path in re.findall(r'_file = "([^"]+)"', text):
        name = next(name for end, name in ends.items() if path.endswith(end))
        text = text.replace(f'"{path}"', f'"{name}"')
    return text


def modes_of(settings: type[PlatformSettings]) -> list[str]:
    return [each.__struct_config__.tag for each in get_args(get_type_hints(settings)["credentials"])]
