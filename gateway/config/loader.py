"""Loads the configuration: a TOML file, the environment over it, and the files that hold secrets.

Every setting `x` that is a secret is given as `x_file`, a path; `x` itself is taken from the environment only.
A relative path counts from the configuration file's folder, or from the working directory where there is none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from adapters.files import UnreadableFile, read_text_file
from adapters.secret import parse_secret
from gateway.config.converter import Tables, from_tables
from gateway.config.environment import Overrides
from gateway.config.schema import FILES, SECRETS, leaf
from gateway.config.settings import ConfigurationError, ConfigurationWarning, Settings
from gateway.config.toml import parse_toml
from gateway.config.warnings import about_file

LARGEST: Final = 1024 * 1024
"""Bytes that a configuration may have."""


def load(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of `file` (None: the environment alone) with the overrides in `environ`.

    Blocks for as long as one file that can't be read may take. Raises ConfigurationError with one line that names
    the key.
    """
    warned: list[ConfigurationWarning] = []
    if file is not None and _may_be_missing(file, environ):
        text = f"{file}: No such file or directory: the environment alone configures"
        warned.append(ConfigurationWarning("GATEWAY_CONFIG", "no-such-file", text))
        file = None
    tables = {} if file is None else _parse(file, warned)
    _refuse_secrets(tables, ())
    overrides = Overrides()
    warned += overrides.apply(tables, environ)
    if file is None and "platforms" not in tables:
        raise ConfigurationError("platforms: none, as no file was given: --config FILE or GATEWAY_CONFIG")
    try:
        _read_files(tables, (), Path() if file is None else file.parent, warned)
        return from_tables(tables, warned)
    except ConfigurationError as error:
        raise overrides.name_variable(error) from None


def _may_be_missing(file: Path, environ: Mapping[str, str]) -> bool:
    """Whether there is no such file, only the environment names it, as an image does, and it has the platforms."""
    return (
        str(file) == environ.get("GATEWAY_CONFIG", "").removesuffix("\r")
        and not os.path.lexists(file)
        and any(re.fullmatch("GATEWAY_PLATFORMS__.+__ADAPTER", name) for name in environ)
    )


def _parse(file: Path, warned: list[ConfigurationWarning]) -> Tables:
    try:
        read = read_text_file(file, limit=LARGEST, streams=True)
        tables = parse_toml(read.text)
    except UnreadableFile as error:
        raise ConfigurationError(f"{file}: {error.reason}") from None
    except ValueError as error:
        raise ConfigurationError(f"{file}: {error}") from error
    warned += about_file("config", read)
    return tables


def _refuse_secrets(table: Tables, path: tuple[str, ...]) -> None:
    for key, value in table.items():
        if isinstance(value, dict):
            _refuse_secrets(value, (*path, key))
        elif leaf((*path, key)) in SECRETS:
            raise ConfigurationError(f"{_dotted(path, key)}: a secret does not belong in this file; use {key}_file")


def _read_files(table: Tables, path: tuple[str, ...], folder: Path, warned: list[ConfigurationWarning]) -> None:
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


def _secret(key: str, file: Path, warned: list[ConfigurationWarning]) -> str:
    try:
        read = read_text_file(file)
    except UnreadableFile as error:
        raise ConfigurationError(f"{key}: {error}") from None
    secret = parse_secret(read.text)
    if not secret.strip():
        raise ConfigurationError(f"{key}: {file}: empty")
    warned += about_file(key, read, secret=True)
    return secret


def _dotted(path: tuple[str, ...], key: str) -> str:
    return ".".join((*path, key))
