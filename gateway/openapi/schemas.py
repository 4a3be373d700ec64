"""JSON Schema of what is sent, from the types that it is encoded from."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import inspect as types

TEMPLATE: Final = "#/components/schemas/{name}"

Schema = dict[str, Any]


def schemas(of: Iterable[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """The schema of each type, and the components that they refer to, by name."""
    asked = list(of)
    found, components = msgspec.json.schema_components(asked, ref_template=TEMPLATE)
    structs = {each.cls.__name__: each for each in _structs(types.multi_type_info(asked))}
    for name, schema in components.items():
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"])
        if "enum" in schema:
            schema["type"] = "string"
        if name in structs:
            schema["required"] = _required(structs[name])
            for field in schema.get("properties", {}).values():
                field.pop("default", None)
    return list(found), components


def _required(struct: types.StructType) -> list[str]:
    """What is sent always, defaults too: all but what may be unset. What we take has no defaults."""
    has_default = (field.encode_name for field in struct.fields if field.default is not msgspec.NODEFAULT)
    return [*(field.encode_name for field in struct.fields if field.required), *has_default]


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
