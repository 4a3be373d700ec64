"""The schema of the configuration: every key, its type, and which keys hold secrets or name files."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from functools import reduce
from typing import Final

from msgspec import inspect

from adapters import ADAPTERS
from adapters.secret import Secret
from adapters.settings import CertificateFile
from gateway.config.caller_settings import CallerSettings
from gateway.config.public_keys import PublicKeyFile
from gateway.config.settings import CacheSettings, ServerSettings, SocketPath, WatchSettings
from gateway.config.shared_settings import SharedSettings


def leaves(kind: inspect.Type, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], inspect.Type]]:
    """Every key under a type of settings, and the types that it can have."""
    match kind:
        case inspect.UnionType(types=kinds):
            for each in kinds:
                yield from leaves(each, path)
        case inspect.StructType(fields=fields, tag_field=tag, tag=word):
            if tag:
                yield (*path, tag), inspect.LiteralType((word,))
            for field in fields:
                yield from leaves(field.type, (*path, field.encode_name))
        case inspect.NoneType():
            return
        case _:
            yield path, kind


LEAVES: Final = [
    *leaves(inspect.type_info(ServerSettings), ("server",)),
    *leaves(inspect.type_info(CacheSettings), ("cache",)),
    *leaves(inspect.type_info(SharedSettings), ("shared",)),
    *leaves(inspect.type_info(WatchSettings), ("watch",)),
    *leaves(inspect.type_info(reduce(operator.or_, ADAPTERS)), ("platforms", "*")),
    *leaves(inspect.type_info(CallerSettings), ("callers", "*")),
]
"""Every key of the configuration with each type that it can have; `*` stands for a platform's name."""
TEXT: Final = inspect.StrType | inspect.CustomType | inspect.LiteralType
SECRETS: Final = {
    path for path, kind in LEAVES if isinstance(kind, inspect.CustomType) and issubclass(kind.cls, Secret)
}
"""The keys that hold secrets."""
FILES: Final = {(*path[:-1], f"{path[-1]}_file") for path in SECRETS} | {
    path
    for path, kind in LEAVES
    if isinstance(kind, inspect.CustomType) and issubclass(kind.cls, (CertificateFile, PublicKeyFile, SocketPath))
}
"""The keys that name files."""


def leaf(path: tuple[str, ...]) -> tuple[str, ...]:
    """The path as `LEAVES` has it: a platform's name is any name, and so is a caller's number in `callers[0]`."""
    if path[:1] == ("platforms",):
        return ("platforms", "*", *path[2:])
    if path and path[0].startswith("callers["):
        return ("callers", "*", *path[1:])
    return path


def is_list(path: tuple[str, ...]) -> bool:
    """Whether the key at this path can hold a list."""
    lists = inspect.ListType | inspect.VarTupleType | inspect.TupleType
    return any(isinstance(kind, lists) for known, kind in LEAVES if known == leaf(path))


def is_text(path: tuple[str, ...]) -> bool:
    """Whether the key at this path holds text. So it is said of a key that nobody knows."""
    kinds = [kind for known, kind in LEAVES if known == leaf(path)]
    return not kinds or any(isinstance(kind, TEXT) for kind in kinds)
