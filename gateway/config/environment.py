"""Settings in environment variables: `GATEWAY_PLATFORMS__MY_CLUB__BASE_URL` is `platforms.my-club.base_url`.

Other programs set variables that look like ours. Kubernetes does for a service that is called `gateway-api--v2`. So
only a variable that names one of our tables, or a name one typing error away from one, stops the start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from adapters.secret import parse_secret
from gateway.config.converter import TABLES, Tables
from gateway.config.printable import printable
from gateway.config.schema import LEAVES, SECRETS, is_text, leaf
from gateway.config.settings import ConfigurationError, ConfigurationWarning
from gateway.config.toml import parse_toml

PREFIX: Final = "GATEWAY_"
SEPARATOR: Final = "__"
LONGEST_PATH: Final = max(len(path) for path, _ in LEAVES)
LONGEST_NAME: Final = 100
"""Characters of a variable's name that are quoted."""

Path = tuple[str, ...]


class Overrides:
    """Which variable set which key, or made which table."""

    def __init__(self) -> None:
        self._variables: dict[Path, str] = {}

    def apply(self, tables: Tables, environ: Mapping[str, str]) -> list[ConfigurationWarning]:
        """Put the values of our variables into `tables`; returns a warning for each that can't be ours.

        Raises ConfigurationError, which names the variable.
        """
        warnings: list[ConfigurationWarning] = []
        for name, text in environ.items():
            path = tuple(name.removeprefix(PREFIX).lower().split(SEPARATOR))
            if not name.startswith(PREFIX) or len(path) == 1:
                continue
            shown = printable(name[:LONGEST_NAME])
            if path[0] in TABLES:
                self._apply(tables, shown, path, text.removesuffix("\r"))  # left of a file with Windows line ends
                continue
            for table in TABLES:
                if is_one_edit(path[0], table):
                    raise ConfigurationError(f"{shown}: unknown table; did you mean {table}?")
            warnings.append(
                ConfigurationWarning(shown, "unknown-variable", "ignored, as it names no table of the configuration")
            )
        return warnings

    def name_variable(self, error: ConfigurationError) -> ConfigurationError:
        """The same error with the variable that set its key, or made its table, if there is one."""
        key = str(error).partition(": ")[0]
        path = tuple(re.sub(r"\[\d+\]", "", key).split("."))
        for length in range(len(path), 0, -1):
            if variable := self._variables.get(path[:length]):
                return ConfigurationError(f"{error} ({variable})")
        return error

    def _apply(self, tables: Tables, name: str, path: Path, text: str) -> None:
        """Text where the key is text, otherwise TOML."""
        if not "".join(path).isascii():
            raise ConfigurationError(f"{name}: expected a name in ASCII")
        if len(path) > LONGEST_PATH:
            raise ConfigurationError(f"{name}: expected at most {LONGEST_PATH} names, joined by {SEPARATOR}")
        if path[0] == "platforms":
            path = (path[0], path[1].replace("_", "-"), *path[2:])
        table = self._table(tables, name, path[:-1])
        self._variables[path] = name
        if leaf(path) in SECRETS:
            table[path[-1]] = parse_secret(text)
            if not table[path[-1]].strip():
                raise ConfigurationError(f"{name}: empty")
            table.pop(f"{path[-1]}_file", None)
        else:
            table[path[-1]] = text if is_text(path) else _toml_value(name, text)

    def _table(self, tables: Tables, name: str, path: Path) -> Tables:
        """The table at `path`, made if need be."""
        table = tables
        for length, part in enumerate(path, 1):
            if part not in table:
                self._variables[path[:length]] = name
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise ConfigurationError(f"{name}: {part} is not a table")
        return table


def is_one_edit(one: str, other: str) -> bool:
    """Whether one character more, less, or other, or two exchanged neighbours make one text the other."""
    shorter, longer = sorted((one, other), key=len)
    pairs = zip(shorter, longer, strict=False)
    same = next((place for place, (this, that) in enumerate(pairs) if this != that), len(shorter))
    rest, more = shorter[same:], longer[same:]
    if len(rest) < len(more):
        return rest == more[1:]
    return rest[1:] == more[1:] or (rest[:2] == more[1::-1] and rest[2:] == more[2:])


def _toml_value(name: str, text: str) -> object:
    try:
        match parse_toml(f"value = {text}"):
            case {"value": value, **rest} if not rest:
                return value
    except ValueError:
        pass
    raise ConfigurationError(f"{name}: expected a TOML value, as it would stand in the file")
