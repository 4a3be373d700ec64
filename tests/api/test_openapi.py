"""`/openapi.json`: it is OpenAPI, it says what is so, and what can go wrong with any call goes wrong as it says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import msgspec
import pytest
from click.testing import CliRunner
from openapi_spec_validator import OpenAPIV31SpecValidator

from adapters import ADAPTERS, AdapterClass, adapter_name
from adapters.contract import Connection
from adapters.simulation.faults import Fault
from adapters.user_ids import MAX_USER_ID, parse_text, pattern_up_to
from gateway.api.endpoint import Endpoint
from gateway.app import create_app
from gateway.cli.commands import main
from gateway.cli.openapi import of_every_kind
from gateway.problems.problem import Kind
from tests.gateways import OWN, Gateway, caller, running

JSON = "application/json"
PATHS = {"platform": "acme", "user_id": "101", "action": "accept", "slug": "overloaded", "name": "element.js"}


def printed() -> Any:
    return msgspec.json.decode(CliRunner().invoke(main, ["openapi"]).output)


DOCUMENT: Any = printed()
CALLS: list[tuple[str, str, Any]] = [
    (method.upper(), path.format(**PATHS), operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def each_of(calls: list[tuple[str, str, Any]]) -> pytest.MarkDecorator:
    ids = [operation["operationId"] for _, _, operation in calls]
    return pytest.mark.parametrize(("method", "path", "operation"), calls, ids=ids)


EVERY_CALL = each_of(CALLS)
NEEDS_KEY = each_of([call for call in CALLS if call[2]["security"]])


async def test_the_document_is_openapi(gateway: Gateway) -> None:
    answer = await gateway.client.get("/openapi.json")
    assert answer.headers["content-type"] == JSON
    assert list(OpenAPIV31SpecValidator(answer.json()).iter_errors()) == []
    assert answer.json()["openapi"] == "3.1.0"


async def test_the_document_has_every_route_but_the_parts_of_pages(gateway: Gateway) -> None:
    routes = {(each.path, each.method.lower()) for each in gateway.app.routes if isinstance(each, Endpoint)}
    said = {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert routes - said == {("/docs/{name}", "get"), ("/client-{version}/{name}", "get")}
    assert said <= routes


async def test_what_is_printed_is_what_is_served() -> None:
    transport = httpx.ASGITransport(create_app(of_every_kind()))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
        assert (await client.get("/openapi.json")).json() == DOCUMENT


def test_a_configuration_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in {
        "ADAPTER": "symphony",
        "BASE_URL": "https://acme.example.com",
        "CREDENTIALS__MODE": "caller",
    }.items():
        monkeypatch.setenv(f"GATEWAY_PLATFORMS__ACME__{key}", value)
    schemes = printed()["components"]["securitySchemes"]
    assert set(schemes) == {"callerKey", "symphonyToken", "platformToken"}


def test_a_broken_configuration_is_wrong_use() -> None:
    found = CliRunner().invoke(main, ["openapi", "--config", "/nowhere.toml"])
    assert (found.exit_code, found.stdout) == (2, "")


async def test_the_document_says_whether_a_key_is_needed(gateway: Gateway) -> None:
    def needed(document: Any) -> set[bool]:
        calls = [each for path in document["paths"].values() for each in path.values() if each["security"]]
        return {all("callerKey" in each for each in call["security"]) for call in calls}

    assert needed((await gateway.client.get("/openapi.json")).json()) == {False}
    async with running(OWN, [caller("web")]) as closed:
        answer = await closed.client.get("/openapi.json")
        assert needed(answer.json()) == {True}
        assert list(OpenAPIV31SpecValidator(answer.json()).iter_errors()) == []


async def test_the_document_needs_no_key_and_names_no_platform() -> None:
    async with running(OWN, [caller("web")]) as gateway:
        answer = await gateway.client.get("/openapi.json")
        assert answer.status_code == 200
        assert ".example/" not in answer.text


def examples(document: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Each schema that has an example beside it, with that example."""
    match document:
        case {"schema": schema, "example": example} if where.endswith("/x-ndjson"):
            for line in example.splitlines():
                yield where, schema, msgspec.json.decode(line)
        case {"schema": schema, "example": example}:
            yield where, schema, example
        case {"schema": schema, "examples": dict() as several}:
            for slug in several:
                yield f"{where} {slug}", schema, DOCUMENT["components"]["examples"][slug]["value"]
    if isinstance(document, dict):
        for key, each in document.items():
            yield from examples(each, f"{where}/{key}")
    elif isinstance(document, list):
        for place, each in enumerate(document):
            yield from examples(each, f"{where}/{place}")


def validator(schema: Any) -> jsonschema_rs.Validator:
    whole = {**schema, "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def test_its_examples_are_what_it_says() -> None:
    found = list(examples(DOCUMENT["paths"]))
    assert len(found) > 100
    wrong = [where for where, schema, example in found if not validator(schema).is_valid(example)]
    assert wrong == []


def test_every_call_and_every_field_is_described() -> None:
    for _, _, operation in CALLS:
        assert operation["summary"]
        assert operation["description"]
        assert all(each["description"] for each in operation["parameters"])
    silent = {
        f"{name}.{field}"
        for name, schema in DOCUMENT["components"]["schemas"].items()
        for field, each in schema.get("properties", {}).items()
        if "description" not in each and "$ref" not in each
    }
    names = {
        "ExplainedStep.outcome",
        "ExplainedThrottle.active",
        "ActResults.results",
        "ConnectionList.connections",
        "LookupResults.results",
        "Me.platforms",
        "PlatformList.platforms",
        "Liveness.status",
        "Readiness.status",
    }
    assert silent == names  # whose name, or whose type's description, says it


def test_words_are_strings() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    words = {name: schema["type"] for name, schema in schemas.items() if "enum" in schema}
    names = "Action BreakerState EndReason Health Right Source Status StepKind ViewerKind"
    assert set(words) == set(names.split())
    assert set(words.values()) == {"string"}


ODD_IDS = [
    "@ada",
    "ada.l",
    "a" * 128,
    "a" * 129,
    "0b7e-4c",
    "a@b.example:8",
    "~",
    ".",
    "..",
    ".a",
    "-a",
    "+a",
    ":a",
]
ODD_IDS += ["a/b", "a%2fb", "a b", "a,b", "a=b", "*", "a?b", "a#b", "a;b", "a\n", "\u00e4", "a\\b", '"a"', ""]


def test_a_connection_has_all_of_its_fields() -> None:
    schema = DOCUMENT["components"]["schemas"]["Connection"]
    assert schema["required"] == list(Connection.__struct_fields__)
    assert "default" not in schema["properties"]["stale"]


@pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=map(adapter_name, ADAPTERS))
def test_a_user_id_is_described_by_kind_exactly_as_it_is_parsed(adapter: AdapterClass) -> None:
    patterns = DOCUMENT["components"]["schemas"]["UserId"]["x-patterns"]
    assert patterns.keys() == set(map(adapter_name, ADAPTERS))
    assert adapter.USER_IDS.pattern in patterns.values()
    is_valid = validator({"type": "string", "pattern": adapter.USER_IDS.pattern}).is_valid
    is_opaque = validator(DOCUMENT["components"]["schemas"]["Connection"]["properties"]["user_id"]).is_valid
    lot = random.Random(20261126)  # noqa: S311  it draws examples
    near = [MAX_USER_ID + step for step in range(-1000, 1000)]
    drawn = [lot.randrange(10 ** lot.randrange(1, 22)) for _ in range(20_000)]
    for text in [
        *map(str, [*near, *drawn, *range(200)]),
        "",
        "01",
        "+1",
        "1\n",
        " 1",
        "1.0",
        "\u0661",
        "-1",
        *ODD_IDS,
    ]:
        try:
            key = adapter.USER_IDS.parse(text)
        except ValueError:
            assert not is_valid(text), text
        else:
            assert is_valid(text), text
            assert is_opaque(text), text
            assert str(key) == text


@pytest.mark.parametrize("text", ODD_IDS)
def test_a_user_id_on_any_platform_is_described_as_it_is_parsed(text: str) -> None:
    matches = validator(DOCUMENT["components"]["schemas"]["Connection"]["properties"]["user_id"]).is_valid
    try:
        parse_text(text)
    except ValueError:
        assert not matches(text)
    else:
        assert matches(text)


@pytest.mark.parametrize("most", [1, 9, 10, 11, 19, 20, 99, 100, 101, 128, 255, 999, 1000, 1023])
def test_a_pattern_ends_where_it_says(most: int) -> None:
    matches = validator({"type": "string", "pattern": pattern_up_to(most)}).is_valid
    assert [number for number in range(3000) if matches(str(number))] == list(range(1, most + 1))


# what can go wrong with any call: the watch in `tests.promises` sees to it that this is what was promised


def kind(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


def promises(operation: Any, problem: Kind) -> bool:
    answer = operation["responses"].get(str(problem.status), {"content": {}})
    return problem.slug in answer["content"].get("application/problem+json", {"examples": {}})["examples"]


@EVERY_CALL
async def test_a_host_that_can_not_be_meant(gateway: Gateway, method: str, path: str, operation: Any) -> None:
    answer = await gateway.client.request(method, path, headers={"Host": "a b"})
    assert kind(answer) == "invalid-request"
    assert promises(operation, Kind.INVALID_REQUEST)


@EVERY_CALL
async def test_a_host_of_somebody_else(gateway: Gateway, method: str, path: str, operation: Any) -> None:
    answer = await gateway.client.request(method, path, headers={"Host": "rebound.example"})
    if promises(operation, Kind.NOT_ALLOWED):
        assert kind(answer) == "not-allowed"
    else:
        assert path in {"/livez", "/readyz", "/metrics", "/v1/events/acme"}
        assert answer.status_code == (404 if method == "POST" else 200)


@EVERY_CALL
async def test_a_bug_of_ours(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, method: str, path: str, operation: Any
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Endpoint, "handle", broken)
    answer = await gateway.client.request(method, path)
    assert kind(answer) == "internal-error"
    assert promises(operation, Kind.INTERNAL_ERROR)


@EVERY_CALL
async def test_another_method(gateway: Gateway, method: str, path: str, operation: Any) -> None:
    answer = await gateway.client.request("PATCH", path)
    assert (answer.status_code, kind(answer)) == (405, "method-not-allowed")
    assert method in answer.headers["allow"]
    assert "405" not in operation["responses"]


@NEEDS_KEY
async def test_no_key(method: str, path: str, operation: Any) -> None:
    async with running(OWN, [caller("web")]) as gateway:
        answer = await gateway.client.request(method, path)
        assert kind(answer) == "invalid-api-key"
        assert promises(operation, Kind.INVALID_API_KEY)


@NEEDS_KEY
async def test_over_the_rate(method: str, path: str, operation: Any) -> None:
    async with running(OWN, [caller("web", rate="1/h")]) as gateway, gateway.as_caller("web") as client:
        await client.request(method, path)
        answer = await client.request(method, path)
        assert kind(answer) == "rate-limited"
        assert promises(operation, Kind.RATE_LIMITED)


@NEEDS_KEY
async def test_no_place(method: str, path: str, operation: Any) -> None:
    async with running(max_concurrency=1) as gateway:
        gateway.acme.misbehave(Fault(delay=1, times=1))
        first = asyncio.create_task(gateway.client.get("/v1/connections/acme/101"))
        await asyncio.sleep(0.05)
        answer = await gateway.client.request(method, path)
        assert kind(answer) == "overloaded"
        assert promises(operation, Kind.OVERLOADED)
        await first


@pytest.mark.parametrize("path", ["/v1/lookup", "/v1/watch", "/v1/connections/acme/101/accept"])
async def test_a_body_that_is_too_large(gateway: Gateway, path: str) -> None:
    answer = await gateway.client.post(path, content=b" " * 300_000)
    assert kind(answer) == "payload-too-large"
