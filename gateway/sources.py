"""Where settings come from: a TOML file, the environment over it, and the files that hold secrets.

Every setting `x` that is a secret is given as `x_file`, a path; `x` itself is taken from the environment only.
A relative path counts from the configuration file's folder, or from the working directory where there is none.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gateway.conversion import SECRETS, Tables, from_tables, is_text
from gateway.settings import ConfigurationError, Settings

PREFIX: Final = "GATEWAY_"


def load(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of `file` (None: the environment alone) with the overrides in `environ`.

    Raises ConfigurationError with one line that names the key.
    """
    tables = {} if file is None else _parse(file)
    _refuse_secrets(tables, "")
    _override(tables, environ)
    _read_secrets(tables, "", Path() if file is None else file.parent)
    return from_tables(tables)


def _parse(file: Path) -> Tables:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from error


def _override(tables: Tables, environ: Mapping[str, str]) -> None:
    """`GATEWAY_PLATFORMS__MY_CLUB__BASE_URL` → `platforms.my-club.base_url`: text where the key is, else TOML."""
    for name, text in environ.items():
        path = name.removeprefix(PREFIX).lower().split("__")
        if not name.startswith(PREFIX) or len(path) == 1:
            continue
        if path[0] == "platforms":
            path[1] = path[1].replace("_", "-")
        table = tables
        for part in path[:-1]:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise ConfigurationError(f"{name}: {part} is not a table")
        table[path[-1]] = text if is_text(path) else _toml_value(name, text)


def _toml_value(name: str, text: str) -> object:
    try:
        match tomllib.loads(f"value = {text}"):
            case {"value": value, **rest} if not rest:
                return value
    except tomllib.TOMLDecodeError:
        pass
    raise ConfigurationError(f"{name}: expected a TOML value, as it would stand in the file")


def _refuse_secrets(table: Tables, where: str) -> None:
    for key, value in table.items():
        if key in SECRETS:
            raise ConfigurationError(f"{where}{key}: a secret does not belong in this file; use {key}_file")
        if isinstance(value, dict):
            _refuse_secrets(value, f"{where}{key}.")


def _read_secrets(table: Tables, where: str, folder: Path) -> None:
    for key, value in list(table.items()):
        name = key.removesuffix("_file")
        if isinstance(value, dict):
            _read_secrets(value, f"{where}{key}.", folder)
        elif key != name and name in SECRETS and name not in table and isinstance(value, str):
            table[name] = _secret(f"{where}{key}", folder / value)


def _secret(key: str, file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"{key}: {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{key}: {file}: not text") from error
    if not text:
        raise ConfigurationError(f"{key}: {file}: empty")
    return text
