"""Where settings come from: a TOML file, the environment over it, and the files that hold secrets.

Every setting `x` that is a secret is given as `x_file`, a path; `x` itself is taken from the environment only.
A relative path counts from the configuration file's folder, or from the working directory where there is none.
"""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gateway.conversion import Tables, from_tables
from gateway.keys import FILES, SECRETS, is_text, leaf
from gateway.settings import ConfigurationError, Settings, Warned

PREFIX: Final = "GATEWAY_"
LONGEST: Final = 64 * 1024
"""Bytes that a file with a secret may have."""


def load(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of `file` (None: the environment alone) with the overrides in `environ`.

    Raises ConfigurationError with one line that names the key.
    """
    tables = {} if file is None else _parse(file)
    _refuse_secrets(tables, ())
    _override(tables, environ)
    if file is None and "platforms" not in tables:
        raise ConfigurationError("platforms: none, as no file was given: --config FILE or GATEWAY_CONFIG")
    warned: list[Warned] = []
    _read_files(tables, (), Path() if file is None else file.parent, warned)
    return from_tables(tables, warned)


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
        if not name.isascii():
            raise ConfigurationError(f"{name!a}: expected a name in ASCII")
        if path[0] == "platforms":
            path[1] = path[1].replace("_", "-")
        table = tables
        for part in path[:-1]:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise ConfigurationError(f"{name}: {part} is not a table")
        if leaf(tuple(path)) in SECRETS:
            table[path[-1]] = _not_empty(name, text)
            table.pop(f"{path[-1]}_file", None)
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


def _read_files(table: Tables, path: tuple[str, ...], folder: Path, warned: list[Warned]) -> None:
    """Make every file's path absolute, and put what is in it where it is a secret."""
    for key, value in list(table.items()):
        if isinstance(value, dict):
            _read_files(value, (*path, key), folder, warned)
        elif isinstance(value, list):
            for place, each in enumerate(value):
                if isinstance(each, dict):
                    _read_files(each, (*path, f"{key}[{place}]"), folder, warned)
        elif leaf((*path, key)) in FILES and isinstance(value, str):
            file = folder / value
            table[key] = str(file)
            name = key.removesuffix("_file")
            if leaf((*path, name)) in SECRETS:
                table[name] = _secret(_dotted(path, key), file, warned)


def _secret(key: str, file: Path, warned: list[Warned]) -> str:
    try:
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ConfigurationError(f"{key}: {file}: expected a file, this is something else")
        if mode & stat.S_IROTH:
            warned.append(Warned(key, "readable-by-everyone", "everybody on this machine can read it"))
        with file.open("rb") as secret:
            content = secret.read(LONGEST + 1)
        if len(content) > LONGEST:
            raise ConfigurationError(f"{key}: {file}: longer than {LONGEST} bytes")
        return _not_empty(f"{key}: {file}", content.decode())
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
