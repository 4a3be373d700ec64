"""Where settings come from: a TOML file, the environment over it, and the files that hold secrets.

Every setting `x` that is a secret is given as `x_file`, a path; `x` itself is taken from the environment only.
A relative path counts from the configuration file's folder, or from the working directory where there is none.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gateway.conversion import SECRETS, Tables, from_tables, is_text, leaf
from gateway.settings import ConfigurationError, Settings

PREFIX: Final = "GATEWAY_"


def load(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of `file` (None: the environment alone) with the overrides in `environ`.

    Raises ConfigurationError with one line that names the key.
    """
    tables = {} if file is None else _parse(file)
    _refuse_secrets(tables, ())
    _override(tables, environ)
    _read_secrets(tables, (), Path() if file is None else file.parent)
    return from_tables(tables)


def _parse(file: Path) -> Tables:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{file}: {error}") from error


def _refuse_secrets(table: Tables, path: tuple[str, ...]) -> None:
    for key, value in table.items():
        if isinstance(value, dict):
            _refuse_secrets(value, (*path, key))
        elif leaf((*path, key)) in SECRETS:
            raise ConfigurationError(f"{_dotted(path, key)}: a secret does not belong in this file; use {key}_file")


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
        if leaf(tuple(path)) in SECRETS:
            table[path[-1]] = _not_empty(name, text)
        else:
            table[path[-1]] = text if is_text(tuple(path)) else _toml_value(name, text)


def _toml_value(name: str, text: str) -> object:
    try:
        match tomllib.loads(f"value = {text}"):
            case {"value": value, **rest} if not rest:
                return value
    except (ValueError, RecursionError):
        pass
    raise ConfigurationError(f"{name}: expected a TOML value, as it would stand in the file")


def _read_secrets(table: Tables, path: tuple[str, ...], folder: Path) -> None:
    for key, value in list(table.items()):
        name = key.removesuffix("_file")
        if isinstance(value, dict):
            _read_secrets(value, (*path, key), folder)
        elif key != name and leaf((*path, name)) in SECRETS and name not in table and isinstance(value, str):
            table[name] = _secret(_dotted(path, key), folder / value)


def _secret(key: str, file: Path) -> str:
    try:
        return _not_empty(f"{key}: {file}", file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{key}: {file}: {error.strerror}") from error
    except ValueError as error:  # not UTF-8, or a NUL in the path
        raise ConfigurationError(f"{key}: {str(file)!r}: not a text file") from error


def _not_empty(where: str, text: str) -> str:
    if not text.strip():
        raise ConfigurationError(f"{where}: empty")
    return text.strip()


def _dotted(path: tuple[str, ...], key: str) -> str:
    return ".".join((*path, key))
