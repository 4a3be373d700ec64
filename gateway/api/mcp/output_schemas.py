"""The schema of what a tool returns: that of its call under `/v1`, with all that it refers to.

Agents read all that is listed, so it has types and words, but no descriptions, examples and patterns.
"""

from __future__ import annotations

from typing import Any, Final

from adapters.contract import Connection
from gateway.api.results import Failed, Found
from gateway.openapi.schemas import TEMPLATE, Schema, schemas

LEFT_OUT: Final = frozenset({"description", "title", "examples", "default", "pattern", "x-enum-varnames"})
REFERENCE: Final = "#/$defs/"
BY_NAME: Final = (Connection, Found, Failed)
"""What results refer to without having it among their fields' types."""


def output_schema(result: type) -> Schema:
    """JSON Schema of this struct, which stands alone."""
    _, components = schemas([result, *BY_NAME])
    components["ProblemDetails"]["properties"].pop("explain", None)  # only the problem that a tool ends in has it
    root: Schema = _shortened(components[result.__name__])
    needed = _referred(root, components)
    return {**root, "$defs": {name: _shortened(components[name]) for name in sorted(needed)}}


def _shortened(schema: Any, *, names_fields: bool = False) -> Any:
    """Of a schema, or with `names_fields` of the schemas of fields, whose names may be any."""
    if isinstance(schema, dict):
        return {
            name: _local(each) if name == "$ref" else _shortened(each, names_fields=name == "properties")
            for name, each in schema.items()
            if names_fields or name not in LEFT_OUT
        }
    return [_shortened(each) for each in schema] if isinstance(schema, list) else schema


def _local(reference: str) -> str:
    return REFERENCE + reference.removeprefix(TEMPLATE.format(name=""))


def _referred(root: Any, components: dict[str, Schema]) -> set[str]:
    """The names of all that this refers to, however deep."""
    needed: set[str] = set()
    waiting = [root]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            name = each.get("$ref", "").rpartition("/")[2]
            if name and name not in needed:
                needed.add(name)
                waiting.append(components[name])
            waiting += [value for value in each.values() if not isinstance(value, str)]
        elif isinstance(each, list):
            waiting += each
    return needed
