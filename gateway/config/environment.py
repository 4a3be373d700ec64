"""Settings in environment variables: `GATEWAY_PLATFORMS__MY_CLUB__BASE_URL` is `platforms.my-club.base_url`.

Callers have names here: `GATEWAY_CALLERS__WEB__KEY_SHA256` is the key of the caller `web`, who is added if the file
does not have one of that name.

Other programs set variables that look like ours. Kubernetes does for a service that is called `gateway-api--v2`. So
only a variable that names one of our tables, or a name one typing error away from one, stops the start. One that is
meant for a caller does too wherever it is wrong: without callers, the gateway is open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from adapters.secret import parse_secret
from gateway.config.converter import TABLES, Tables
from gateway.config.printable import printable
from gateway.config.schema import LEAVES, SECRETS, is_list, is_text, leaf
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
            if not name.startswith(PREFIX):
                continue
            shown = printable(name[:LONGEST_NAME])
            if len(path) == 1:
                warnings += _one_underscore(shown, path[0])
                continue
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
        for path in (tuple(key.split(".")), tuple(re.sub(r"\[\d+\]", "", key).split("."))):
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
        if path[0] == "callers":
            place, tables = self._caller(tables, name, path)
            self._variables.setdefault((place,), name)
            table = self._table(tables, name, path[2:-1])
            path = (place, *path[2:])
        else:
            table = self._table(tables, name, path[:-1])
        self._variables[path] = name
        if leaf(path) in SECRETS:
            table[path[-1]] = parse_secret(text)
            if not table[path[-1]].strip():
                raise ConfigurationError(f"{name}: empty")
            table.pop(f"{path[-1]}_file", None)
        else:
            is_toml = not is_text(path) or (is_list(path) and text.lstrip().startswith("["))
            table[path[-1]] = _toml_value(name, text) if is_toml else text

    @staticmethod
    def _caller(tables: Tables, name: str, path: Path) -> tuple[str, Tables]:
        """The entry of `[[callers]]` with this name, made if need be, and its place as in an error."""
        if len(path) < 3:
            raise ConfigurationError(f"{name}: expected {PREFIX}CALLERS{SEPARATOR}NAME{SEPARATOR}KEY")
        callers = tables.setdefault("callers", [])
        if not isinstance(callers, list) or not all(isinstance(each, dict) for each in callers):
            raise ConfigurationError("callers: expected a list of tables: write [[callers]], with two brackets")
        for place, each in enumerate(callers):
            if re.sub(r"[.-]", "_", str(each.get("name")).lower()) == path[1]:
                return f"callers[{place}]", each
        callers.append({"name": path[1].replace("_", "-")})
        return f"callers[{len(callers) - 1}]", callers[-1]

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


def _one_underscore(name: str, rest: str) -> list[ConfigurationWarning]:
    """A warning if this would be ours with two underscores. Raises ConfigurationError if it is meant for a caller."""
    for known, _ in LEAVES:
        table, key = known[0], known[-1]
        is_meant = re.fullmatch(rf"{table}_{key}" if len(known) == 2 else rf"{table}_.+_{key}", rest)
        if is_meant and table != "callers":
            text = "ignored, as its names are joined by one underscore: ours have two"
            return [ConfigurationWarning(name, "one-underscore", text)]
        if is_meant or rest == "callers":
            raise ConfigurationError(f"{name}: expected {PREFIX}CALLERS{SEPARATOR}NAME{SEPARATOR}KEY")
    return []


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
