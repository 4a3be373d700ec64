"""JSON Schema of what is sent, from the types that it is encoded from."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import inspect as types

from adapters import ADAPTERS, adapter_name
from adapters.contract import PlatformNameText, Time
from adapters.user_ids import UserId

TEMPLATE: Final = "#/components/schemas/{name}"
TEXTS: Final[Mapping[str, Any]] = {"PlatformName": PlatformNameText, "Time": Time, "UserId": UserId}
"""Texts of a form of their own, which get a name as structs do."""

Schema = dict[str, Any]


def schemas(of: Iterable[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """The schema of each type, and the components that they refer to, by name."""
    asked = list(of)
    found, components = msgspec.json.schema_components(asked, ref_template=TEMPLATE)
    structs = {each.cls.__name__: each for each in _structs(types.multi_type_info(asked))}
    for name, schema in components.items():
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"])
        if name in structs:
            schema["required"] = _required(structs[name])
            for field in schema.get("properties", {}).values():
                field.pop("default", None)
    texts = {name: msgspec.json.schema(each) for name, each in TEXTS.items()}
    for each in _all([*found, *components.values()]):
        if "enum" in each:
            each["type"] = "string"
        _refer(each, texts)
    texts["UserId"] |= _by_kind()
    return list(found), {**texts, **components}


def _by_kind() -> Schema:
    """What a user id is on each kind of platform."""
    patterns = {adapter_name(kind): adapter.USER_IDS.pattern for kind, adapter in ADAPTERS.items()}
    lines = [f"- `{name}`: `{pattern}`" for name, pattern in patterns.items()]
    about = inspect.cleandoc(msgspec.json.schema(UserId)["description"])
    return {
        "description": "\n".join([f"{about} By the `adapter` of the platform:\n", *lines]),
        "x-patterns": patterns,
    }


def _required(struct: types.StructType) -> list[str]:
    """What is sent always, defaults too: all but what may be unset. What we take has no defaults."""
    has_default = (field.encode_name for field in struct.fields if field.default is not msgspec.NODEFAULT)
    return [*(field.encode_name for field in struct.fields if field.required), *has_default]


def _refer(schema: Schema, texts: Mapping[str, Schema]) -> None:
    """To the text of a name, instead of saying again what it is."""
    for name, text in texts.items():
        if schema.get("pattern") == text["pattern"]:
            for key in ("pattern", "type", "format", "examples"):
                schema.pop(key, None)
            if schema.get("description") == text["description"]:
                del schema["description"]
            schema["$ref"] = TEMPLATE.format(name=name)


def _all(schemas: Iterable[Any]) -> Iterator[Schema]:
    """Each of these, and whatever is in them."""
    for each in schemas:
        if isinstance(each, dict):
            yield each
            yield from _all(list(each.values()))
        elif isinstance(each, list):
            yield from _all(each)


def _structs(found: Iterable[types.Type]) -> Iterable[types.StructType]:
    """All that are in these, however deep."""
    seen: dict[type, types.StructType] = {}
    waiting = list(found)
    while waiting:
        match waiting.pop():
            case types.StructType() as struct:
                if struct.cls not in seen:
                    seen[struct.cls] = struct
                    waiting += [field.type for field in struct.fields]
            case types.Metadata(type=inner) | types.ListType(item_type=inner) | types.VarTupleType(item_type=inner):
                waiting.append(inner)
            case types.UnionType(types=several):
                waiting += several
            case _:
                pass
    return seen.values()
