"""The client's structs, statuses, slugs, actions and requests against `/openapi.json`."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs
import msgspec
import pytest
from click.testing import CliRunner
from connection_gateway import Action, Connection, Platform, Status, protocol
from connection_gateway.problems import BY_SLUG, Details
from connection_gateway.protocol import Request

from gateway.cli import main

UNREAD = {"ProblemDetails": {"explain"}, "ConnectionList": {"complete"}}
"""What the client leaves aside: it never asks for `explain`, and a list that is not complete has `errors`."""


@cache
def document() -> Any:
    return msgspec.json.decode(CliRunner().invoke(main, ["openapi"]).output)


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = document()["components"]["schemas"][name]["properties"]
    return {field: schema for field, schema in found.items() if field not in UNREAD.get(name, set())}


def types_of(schema: dict[str, Any], of: dict[str, Any]) -> set[str]:
    """Those that JSON knows."""
    if "$ref" in schema:
        return types_of(of[schema["$ref"].rpartition("/")[2]], of)
    if "anyOf" in schema:
        return set().union(*(types_of(each, of) for each in schema["anyOf"]))
    found = schema.get("type", "string" if "enum" in schema else "object")
    return {found} if isinstance(found, str) else set(found)


@pytest.mark.parametrize(
    ("struct", "name"),
    [
        (Connection, "Connection"),
        (Platform, "PlatformEntry"),
        (Details, "ProblemDetails"),
        (protocol.Page, "ConnectionList"),
        (protocol.Platforms, "PlatformList"),
        (protocol.Results, "LookupResults"),
    ],
)
def test_a_struct_has_the_fields_of_its_schema(struct: type[msgspec.Struct], name: str) -> None:
    theirs = properties(name)
    _, ours = msgspec.json.schema_components([struct])
    mine = ours[struct.__name__]["properties"]
    assert set(mine) == set(theirs)
    for field, schema in theirs.items():
        sent, read = types_of(schema, document()["components"]["schemas"]), types_of(mine[field], ours)
        assert sent <= read, field
        assert read - sent <= {"null"}, field
    required = set(document()["components"]["schemas"][name]["required"])
    assert set(ours[struct.__name__].get("required", ())) <= required


def test_every_status_and_every_action_is_known() -> None:
    schemas = document()["components"]["schemas"]
    assert set(Status) == set(schemas["Status"]["enum"])
    assert set(get_args(Action)) == set(schemas["Action"]["enum"])


def test_every_slug_has_its_class() -> None:
    text = msgspec.json.encode(document()).decode()
    slugs = {part.partition('"')[0] for part in text.split('"/problems/')[1:]} - {"{slug}"}
    assert set(BY_SLUG) == slugs
    assert len(set(BY_SLUG.values())) == len(BY_SLUG)


@pytest.mark.parametrize(
    "request_",
    [
        protocol.lookup("acme", 1),
        protocol.lookup_many([("acme", "1"), ("club", "2")]),
        protocol.page(["acme", "club"], [Status.CONNECTED], "x"),
        protocol.page([], [], None),
        protocol.act("acme", 1, "accept"),
        Request("GET", "/v1/platforms"),
        Request("GET", "/readyz"),
    ],
    ids=lambda each: f"{each.method} {each.path}",
)
def test_a_request_is_one_of_the_document(request_: Request) -> None:
    split = urlsplit(request_.path)
    paths = [path for path in document()["paths"] if matches(path, split.path)]
    assert len(paths) == 1
    operation = document()["paths"][paths[0]][request_.method.lower()]
    parameters = {each["name"] for each in map(resolved, operation.get("parameters", ())) if each["in"] == "query"}
    assert {name for name, _ in parse_qsl(split.query)} <= parameters
    assert ("requestBody" in operation) is (request_.body is not None)
    if request_.body is not None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        whole = {**schema, "components": document()["components"]}
        assert jsonschema_rs.validator_for(whole).is_valid(msgspec.json.decode(request_.body))


def resolved(parameter: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in parameter:
        return parameter
    found: dict[str, Any] = document()["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
    return found


def matches(template: str, path: str) -> bool:
    parts = template.split("/"), path.split("/")
    return len(parts[0]) == len(parts[1]) and all(
        one == other or one.startswith("{") for one, other in zip(*parts, strict=True)
    )
