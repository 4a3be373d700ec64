"""Error messages for values of the wrong type: one line that names the key and quotes no value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any, Final

from msgspec import inspect

from gateway.config.schema import LEAVES, SECRETS, leaf, leaves

_PART: Final = re.compile(r"[^.\[\]]+")


def one_line(where: str, text: str, kind: type, value: object) -> str:
    what, _, place = text.partition(" - at `$")
    place = place.rstrip("`")
    key = where + place
    if what.startswith("."):  # a struct's own check, which knows the key
        return key + what
    if leaf(tuple(key.split("."))) in SECRETS and _has(value, f"{place}_file"):
        key += "_file"
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", what, re.DOTALL):
        known = _keys_at(inspect.type_info(kind), value, _PART.findall(place))
        near = difflib.get_close_matches(found[1], known, 1)
        return f"{key}.{found[1]}: unknown key; " + (
            f"did you mean {near[0]}?" if near else f"expected some of {', '.join(known)}"
        )
    if found := re.fullmatch(r"Object missing required field `(.*)`", what):
        secret = leaf((*key.split("."), found[1])) in SECRETS
        return f"{key}.{found[1]}{'_file' if secret else ''}: missing"
    if what.startswith("Invalid enum value"):
        return f"{key}: expected one of {', '.join(_words(key))}"
    if what.startswith("Invalid value"):
        tags = [
            str(each.values[0])
            for path, each in leaves(inspect.type_info(kind))
            if place[1:] == ".".join(path) and isinstance(each, inspect.LiteralType)
        ]
        return f"{key}: expected one of {', '.join(tags)}"
    return f"{key}: {what[0].lower()}{what[1:]}"


def _keys_at(kind: inspect.Type, value: Any, path: Sequence[str]) -> list[str]:
    """What may stand in the table at `path`, in the mode that it says; a secret as its file."""
    match kind:
        case inspect.StructType(fields=fields) if not path:
            names = [field.encode_name for field in fields]
            tag = [] if kind.tag_field is None else [kind.tag_field]
            return [*tag, *(name for name in names if f"{name}_file" not in names)]
        case inspect.StructType(fields=fields):
            (below,) = [field.type for field in fields if field.encode_name == path[0]]
            return _keys_at(below, value[path[0]], path[1:])
        case inspect.UnionType(types=kinds):
            return next(
                _keys_at(each, value, path)
                for each in kinds
                if isinstance(each, inspect.StructType) and each.tag == value.get(each.tag_field)
            )
        case inspect.VarTupleType(item_type=item):
            return _keys_at(item, value[int(path[0])], path[1:])
        case _:
            return []


def _words(key: str) -> list[str]:
    """What may stand at `callers[0].may[1]`."""
    name = re.sub(r"\[\d+\]\Z", "", key).rpartition(".")[2]
    kinds = [getattr(kind, "item_type", kind) for known, kind in LEAVES if known[-1] == name]
    return [word.value for kind in kinds if isinstance(kind, inspect.EnumType) for word in kind.cls]


def _has(value: object, place: str) -> bool:
    """Whether something stands at `.credentials.token_file`."""
    for key in place.split(".")[1:]:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True
