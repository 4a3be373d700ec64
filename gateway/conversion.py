"""Decoded TOML becomes settings, or one line that says what is wrong with which key."""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Iterator
from functools import reduce
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from adapters import ADAPTERS, adapter_name
from adapters.secret import Secret
from adapters.settings import PlatformName, PlatformSettings
from gateway.settings import ConfigurationError, ServerSettings, Settings

T = TypeVar("T")
Tables = dict[str, Any]


def _leaves(kind: inspect.Type, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], inspect.Type]]:
    """Every key under a type of settings, and the types that it can have."""
    match kind:
        case inspect.UnionType(types=kinds):
            for each in kinds:
                yield from _leaves(each, path)
        case inspect.StructType(fields=fields, tag_field=tag, tag=word):
            if tag:
                yield (*path, tag), inspect.LiteralType((word,))
            for field in fields:
                yield from _leaves(field.type, (*path, field.encode_name))
        case _:
            yield path, kind


LEAVES: Final = [
    *_leaves(inspect.type_info(ServerSettings), ("server",)),
    *_leaves(inspect.type_info(reduce(operator.or_, ADAPTERS)), ("platforms", "*")),
]
"""Every key of the configuration with each type that it can have; `*` stands for a platform's name."""
TEXT: Final = inspect.StrType | inspect.CustomType | inspect.LiteralType
SECRETS: Final = {
    path for path, kind in LEAVES if isinstance(kind, inspect.CustomType) and issubclass(kind.cls, Secret)
}
"""The keys that hold secrets."""


def leaf(path: tuple[str, ...]) -> tuple[str, ...]:
    """The path as `LEAVES` has it: a platform's name is any name."""
    return ("platforms", "*", *path[2:]) if path[:1] == ("platforms",) else path


def from_tables(tables: Tables) -> Settings:
    """Settings from decoded TOML in which secrets stand in the open. Raises ConfigurationError."""
    for table in tables.keys() - {"server", "platforms"}:
        raise ConfigurationError(f"{table}: unknown table")
    server = _convert("server", tables.get("server", {}), ServerSettings)
    platforms = {
        name: _platform(name, table)
        for name, table in _convert("platforms", tables.get("platforms", {}), Tables).items()
    }
    return Settings(server=server, platforms=platforms)


def _platform(name: str, value: object) -> PlatformSettings:
    where = f"platforms.{name}"
    table = _convert(where, value, Tables)
    try:
        msgspec.convert(name, PlatformName)
    except msgspec.ValidationError:
        raise ConfigurationError(f"{where}: expected a name of 1 to 32 of a-z, 0-9 and -, a letter first") from None
    kinds = {adapter_name(kind): kind for kind in ADAPTERS}
    kind = kinds.get(str(table.get("adapter")))
    if kind is None:
        raise ConfigurationError(f"{where}.adapter: expected one of {', '.join(kinds)}")
    return _convert(where, table, kind)


def _convert(where: str, value: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind, dec_hook=_text_type)
    except msgspec.ValidationError as error:
        raise ConfigurationError(_one_line(where, str(error), kind, value)) from None


def _text_type(kind: type[T], value: object) -> T:
    """Our own types of text: their constructors check, and raise ValueError."""
    if not isinstance(value, str):
        raise TypeError("expected text")
    return kind(value)  # type: ignore[call-arg]


def _one_line(where: str, text: str, kind: type, value: object) -> str:
    what, _, place = text.partition(" - at `$")
    place = place.rstrip("`")
    key = where + place
    if leaf(tuple(key.split("."))) in SECRETS and _has(value, f"{place}_file"):
        key += "_file"
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", what, re.DOTALL):
        near = difflib.get_close_matches(found[1], {part for path, _ in LEAVES for part in path} - {found[1]}, 1)
        return f"{key}.{found[1]}: unknown key" + (f"; did you mean {near[0]}?" if near else "")
    if found := re.fullmatch(r"Object missing required field `(.*)`", what):
        secret = leaf((*key.split("."), found[1])) in SECRETS
        return f"{key}.{found[1]}{'_file' if secret else ''}: missing"
    if what.startswith("Invalid value"):
        tags = [
            str(each.values[0])
            for path, each in _leaves(inspect.type_info(kind))
            if place[1:] == ".".join(path) and isinstance(each, inspect.LiteralType)
        ]
        return f"{key}: expected one of {', '.join(tags)}"
    return f"{key}: {what[0].lower()}{what[1:]}"


def _has(value: object, place: str) -> bool:
    """Whether something stands at `.credentials.token_file`."""
    for key in place.split(".")[1:]:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True


def is_text(path: tuple[str, ...]) -> bool:
    """Whether the key at this path holds text. So it is said of a key that nobody knows."""
    kinds = [kind for known, kind in LEAVES if known == leaf(path)]
    return not kinds or any(isinstance(kind, TEXT) for kind in kinds)
