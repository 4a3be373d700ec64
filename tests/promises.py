"""A watch over the whole suite: every answer of a gateway is one that `/openapi.json` promises.

Promised are status, media type, headers and body of each call; nothing that is not promised may be there. What is no
call (another path or method, no HTTP at all) is answered by a problem. And every problem, wherever it stands in an
answer, has its page.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

import jsonschema_rs
import msgspec
from starlette.types import Message, Receive, Scope, Send

from gateway.api.endpoint import Endpoint
from gateway.api.middleware.access_log import AccessLog
from gateway.app import create_app
from gateway.cli.openapi import of_every_kind
from gateway.openapi.document import EVENTS, LINES
from gateway.openapi.operation import NDJSON
from gateway.server.extensions import READY, REFUSED

REMEMBERED: Final = 50_000
"""Answers that need not be looked at again."""
DIFFERS: Final = re.compile(rb'"(?:as_of|instance|at_ms|took_ms|age_ms)":(?:"[^"]*"|[0-9]+)')
"""What no two answers have in common."""
TYPE: Final = re.compile(rb'"type":"(/problems/[^"]*)"')
EVENT: Final = re.compile(rb"^event: (.*)\ndata: (.*)\n$", re.MULTILINE)
PROBLEM: Final = "application/problem+json"
MCP: Final = "/mcp"
ANYWHERE: Final = frozenset({"connection", "content-encoding", "content-length", "content-type", "date", "vary"})
"""Headers that are the protocol's; those of CORS begin alike."""


class Promises:
    """`broken` is what was answered otherwise, `kept` each promise that some answer kept."""

    on_duty: ClassVar[Promises | None] = None

    def __init__(self) -> None:
        self.answers = 0
        self.broken: set[str] = set()
        self.kept: set[str] = set()
        self._seen: set[Any] = set()
        self._document: Any = None
        self._validators: dict[str, jsonschema_rs.Validator] = {}
        self._paths: list[tuple[re.Pattern[str], Mapping[str, Any]]] = []

    def made(self) -> Iterator[str]:
        """All of them: `operation status`, and `operation problem`."""
        for methods in self._read()["paths"].values():
            for operation in methods.values():
                for status, answer in operation["responses"].items():
                    if LINES in answer:
                        yield f"{operation['operationId']} {_kept(status, NDJSON)}"
                    for media, content in answer.get("content", {"": None}).items():
                        slugs = content["examples"] if media == PROBLEM else (_kept(status, media),)
                        yield from (f"{operation['operationId']} {each}" for each in slugs)

    def check(self, scope: Scope, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answers += 1
        found = dict(headers)
        media = found.get("content-type", "").lower()
        operation = self._operation(scope)
        name = "no call" if operation is None else operation["operationId"]
        same = (name, scope["method"], status, media, frozenset(found), DIFFERS.sub(b"", body))
        if same in self._seen:
            return
        if len(self._seen) >= REMEMBERED:
            self._seen.clear()
        self._seen.add(same)
        for what in self._wrong(scope, operation, status, found, media, body):
            self.broken.add(f"{name} {status}: {what}")
        pages = {f"/problems/{slug}" for slug in self._slugs()}
        for link in TYPE.findall(body):
            if link.decode() not in pages:
                self.broken.add(f"{name} {status}: {link.decode()} has no page")

    def _wrong(
        self, scope: Scope, operation: Any, status: int, headers: Mapping[str, str], media: str, body: bytes
    ) -> Iterator[str]:
        if operation is None:
            if scope["method"] == "OPTIONS" and status == 204:
                return  # a page asks whether it may
            if scope["path"] == MCP and media != PROBLEM and getattr(scope.get("route"), "path", None) == MCP:
                yield from self._wrong_message(status, media, body)
                return
            if status == 200 and isinstance(route := scope.get("route"), Endpoint) and route.operation is None:
                return  # a part of a page
            promised = self._read()["components"]["responses"]["MethodNotAllowed"] if status == 405 else {}
            yield from self._wrong_headers(promised.get("headers", {}), headers, is_call=False)
            yield from self._wrong_body({"$ref": "#/components/schemas/ProblemDetails"}, "no call", media, body)
            return
        promised = operation["responses"].get(str(status))
        if promised is None:
            yield "this status is not promised"
            return
        yield from self._wrong_headers(promised["headers"], headers, is_call=True)
        if "content" in promised:
            yield from self._wrong_content(scope, operation, status, promised, media, body)
        else:
            self.kept.add(f"{operation['operationId']} {_kept(str(status), '')}")
            if body or media:
                yield "a body is not promised"

    def _wrong_message(self, status: int, media: str, body: bytes) -> Iterator[str]:
        """What is wrong with an answer of the Model Context Protocol, which has no place in the document."""
        if status == 202:
            if body or media:
                yield "a notification is answered"
            return
        kind = "result" if status == 200 and b'"result":' in body else "error"
        if status not in {200, 400, 404} or media != "application/json":
            yield f"{status} {media} is not the protocol's"
        found = msgspec.json.decode(body)
        if set(found) - {"id"} != {"jsonrpc", kind}:
            yield "not a message of JSON-RPC"
        elif kind == "error" and set(found["error"]) - {"data"} != {"code", "message"}:
            yield "not an error of JSON-RPC"

    def _wrong_content(
        self, scope: Scope, operation: Any, status: int, promised: Any, media: str, body: bytes
    ) -> Iterator[str]:
        promised = {**promised["content"], **({NDJSON: promised[LINES]} if LINES in promised else {})}
        content = {kind.lower(): each for kind, each in promised.items()}.get(media)
        if content is None:
            yield f"{media or 'no media type'} is not promised"
            return
        if media == PROBLEM:
            link = TYPE.search(body)
            slug = "" if link is None else link[1].decode().rpartition("/")[2]
            if body and slug not in content["examples"]:
                yield f"{slug} is not promised"
            self.kept.add(f"{operation['operationId']} {slug}")
        else:
            self.kept.add(f"{operation['operationId']} {_kept(str(status), media)}")
        if scope["method"] != "HEAD" and "json" in media:
            yield from self._wrong_body(content["schema"], f"{operation['operationId']} {status}", media, body)
        if media == "text/event-stream":
            for name, data in EVENT.findall(body):
                schema = operation["responses"][str(status)][EVENTS][name.decode()]
                yield from self._wrong_body(schema, f"event {name.decode()}", "application/json", data)

    @staticmethod
    def _wrong_headers(promised: Mapping[str, Any], headers: Mapping[str, str], *, is_call: bool) -> Iterator[str]:
        known = {name.lower(): each for name, each in promised.items()}
        for name, each in known.items():
            if name not in headers and each["required"]:
                yield f"no {name}"
            elif name in headers and each["schema"]["type"] == "integer" and not headers[name].isdigit():
                yield f"{name} is no number"
        for name in headers:
            if is_call and name not in known and name not in ANYWHERE and not name.startswith("access-control-"):
                yield f"{name} is not promised"

    def _wrong_body(self, schema: Any, name: str, media: str, body: bytes) -> Iterator[str]:
        if media in {PROBLEM, "application/json", NDJSON}:
            key = f"{name} {media}"
            if key not in self._validators:
                whole = {**schema, "components": self._read()["components"]}
                self._validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
            for each in body.splitlines() if media == NDJSON else [body]:
                for error in self._validators[key].iter_errors(msgspec.json.decode(each)):
                    yield f"{error.message[:200]} at {error.instance_path}"
        else:
            yield f"{media or 'no media type'} is not promised"

    def _operation(self, scope: Scope) -> Any:
        """The call that this request makes."""
        if REFUSED in scope:
            return None
        self._read()
        written = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        method = "get" if scope["method"] == "HEAD" else scope["method"].lower()
        for path, methods in self._paths:
            if path.fullmatch(written):
                return methods.get(method)
        return None

    def _slugs(self) -> list[str]:
        (slug,) = (
            each for each in self._read()["paths"]["/problems/{slug}"]["get"]["parameters"] if each["name"] == "slug"
        )
        found: list[str] = slug["schema"]["enum"]
        return found

    def _read(self) -> Any:
        """The document, once: with what any platform takes, and closed: what it does not name may not be there."""
        if self._document is None:
            self._document = msgspec.json.decode(create_app(of_every_kind()).state.openapi())
            for schema in self._document["components"]["schemas"].values():
                if "properties" in schema:
                    schema["additionalProperties"] = False
            self._paths = [
                (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), methods)
                for path, methods in self._document["paths"].items()
            ]
        return self._document

    @staticmethod
    def install() -> None:
        """Look at every answer of every gateway, for as long as the process runs."""
        original = AccessLog.__call__

        async def watched(layer: AccessLog, scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or "app" not in scope or Promises.on_duty is None:
                await original(layer, scope, receive, send)
                return
            answer = _Answer(send)
            try:
                await original(layer, scope, receive, answer.send)
            finally:
                if answer.is_whole:
                    Promises.on_duty.check(scope, answer.status, answer.headers, answer.content())

        AccessLog.__call__ = watched  # type: ignore[method-assign,assignment]  # as long as the process runs


def _kept(status: str, media: str) -> str:
    """How a promise of this status is called, which may have several media types."""
    return f"{status} in lines" if media == NDJSON else status


class _Answer:
    """What is sent, noted on its way."""

    def __init__(self, send: Callable[[Message], Any]) -> None:
        self._send = send
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body = bytearray()
        self.is_whole = False

    def content(self) -> bytes:
        """The body, unpacked."""
        return gzip.decompress(self.body) if ("content-encoding", "gzip") in self.headers else bytes(self.body)

    async def send(self, message: Message) -> None:
        if message["type"] in {"http.response.start", READY}:
            self.status = message["status"]
            fixed = message.get("fixed", b"").decode("latin-1").splitlines()
            self.headers = [(line.partition(": ")[0], line.partition(": ")[2]) for line in fixed]
            self.headers += [
                (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in message["headers"]
            ]
        self.body += message.get("body", b"")
        self.is_whole = message["type"] in {"http.response.body", READY} and not message.get("more_body", False)
        await self._send(message)
