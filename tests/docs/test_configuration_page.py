"""docs/configuration.md has every key of the configuration, with its default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from adapters import ADAPTERS, adapter_name
from adapters.settings import PlatformSettings
from adapters.symphony import Settings
from gateway.config import schema as keys
from gateway.config.loader import load
from gateway.config.settings import CacheSettings, ServerSettings, WatchSettings
from tests.docs.pages import rows, section
from tests.gateways import KEY

PAGE = "docs/configuration.md"
SECRETS = {path[-1] for path in keys.SECRETS}


def table(name: str) -> dict[str, str]:
    """The default of each key, as written under this heading."""
    return {row[0].strip("`"): row[1] for row in rows(section(PAGE, f"### `{name}`"))}


def in_toml(defaults: dict[str, str]) -> str:
    """The defaults that are values; the others are words or a reference to another key."""
    values = {key: re.fullmatch(r"`(.*)`", default) for key, default in defaults.items()}
    return "".join(f"{key} = {value[1]}\n" for key, value in values.items() if value)


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("[server]", ("server",)),
        ("[cache]", ("cache",)),
        ("[watch]", ("watch",)),
        ("[shared]", ("shared",)),
        ("[[callers]]", ("callers", "*")),
        ("[platforms.NAME]", ("platforms", "*")),
    ],
)
def test_every_key_is_there(name: str, prefix: tuple[str, ...]) -> None:
    known = {path[len(prefix)] for path, _ in keys.LEAVES if path[: len(prefix)] == prefix} - SECRETS
    assert set(table(name)) == known


def test_defaults_are_those_of_the_code(tmp_path: Path) -> None:
    platform = '[platforms.acme]\nadapter = "symphony"\nbase_url = "https://acme.example.com"\ncredentials = { mode = "caller" }\n'
    shown = {key: value for key, value in table("[platforms.NAME]").items() if key in Settings.__struct_fields__}
    plain = '[[callers]]\nname = "web"\nkey_sha256 = "' + "0" * 64 + '"\n'
    caller = in_toml(table("[[callers]]"))
    (tmp_path / "key").write_text("5e" * 32)
    shared = '[shared]\nurl = "valkey://cache"\nkey_file = "key"\n'
    written = f"[server]\n{in_toml(table('[server]'))}[cache]\n{in_toml(table('[cache]'))}"
    written += f"[watch]\n{in_toml(table('[watch]'))}"
    written += platform + in_toml(shown) + plain + caller + shared + in_toml(table("[shared]"))
    assert "may = " in caller
    (tmp_path / "written.toml").write_text(written)
    (tmp_path / "default.toml").write_text(platform + plain + shared)
    assert load(tmp_path / "written.toml", {}) == load(tmp_path / "default.toml", {})


@pytest.mark.parametrize(
    ("name", "settings"), [("[server]", ServerSettings), ("[cache]", CacheSettings), ("[watch]", WatchSettings)]
)
def test_a_key_has_no_default_only_where_the_code_has_none(
    name: str, settings: type[ServerSettings | CacheSettings]
) -> None:
    defaults = settings()
    without = {key for key, default in table(name).items() if default == "none"}
    assert without == {key for key in table(name) if getattr(defaults, key) is None}


def test_every_mode_has_its_keys() -> None:
    shown = {
        (adapter.strip("`"), mode.strip("`")): set(re.findall(r"`(\w+)`", "".join(rest)))
        for adapter, mode, *rest in rows(section(PAGE, "### `[platforms.NAME.credentials]`"))
    }
    known = {(adapter_name(each), mode): fields for each in ADAPTERS for mode, fields in modes_of(each)}
    assert shown.pop(("all", "caller")) == set()
    assert shown == {key: fields for key, fields in known.items() if key[1] != "caller"}


def modes_of(settings: type[PlatformSettings]) -> list[tuple[str, set[str]]]:
    """Each credential mode with its keys that are no secrets themselves."""
    kinds = get_args(get_type_hints(settings)["credentials"])
    return [(str(kind.__struct_config__.tag), set(kind.__struct_fields__) - SECRETS) for kind in kinds]


def test_environment_variables_load(tmp_path: Path) -> None:
    text, alone = re.findall(r"```sh\n(.*?)```", section(PAGE, "## Environment variables"), re.DOTALL)
    shown = dict(re.findall(r"^(GATEWAY_\w+)=('.*?'|\".*?\"|\S+)", text, re.MULTILINE))
    environment = {name: KEY if "acme.pem" in value else value.strip("'") for name, value in shown.items()}
    (tmp_path / "gateway.toml").write_text(
        '[platforms.open-club]\nadapter = "selfcommunity"\nbase_url = "https://x.example.com"\ncredentials = { mode = "caller" }\n'
        '[platforms.acme]\nadapter = "symphony"\nbase_url = "https://acme.example.com"\n'
        'credentials = { mode = "bot", username = "bot" }\n[server]\nallow_anonymous = true\n'
    )
    found = load(tmp_path / "gateway.toml", environment)
    assert len(shown) == 5
    assert (found.server.host, found.server.port, found.server.hosts) == ("0.0.0.0", 9000, ("gateway.example.com",))
    assert found.platforms["open-club"].base_url == "https://open.example.com"
    whole = load(None, {name: value.strip("'") for name, value in re.findall(r"^(\w+)=(.*)$", alone, re.MULTILINE)})
    assert [(caller.name, len(caller.may)) for caller in whole.callers] == [("web", 2)]
