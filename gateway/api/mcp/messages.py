"""Messages of the Model Context Protocol: JSON-RPC 2.0 over HTTP, revision 2026-07-28 and the two before it."""

from __future__ import annotations

import base64
import binascii
from enum import IntEnum
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from adapters.secret import RedactedRepr
from gateway.api import inputs
from gateway.auth.request_headers import RequestHeaders
from gateway.problems.problem import Problem

STATELESS: Final = "2026-07-28"
"""The revision in which each request says all that is needed to answer it."""
WITH_HANDSHAKE: Final = ("2025-11-25", "2025-06-18")
"""Earlier revisions, which begin with `initialize`. They need no session here either."""
SUPPORTED: Final = (STATELESS, *WITH_HANDSHAKE)
VERSION_HEADER, METHOD_HEADER, NAME_HEADER = HEADERS = ("MCP-Protocol-Version", "Mcp-Method", "Mcp-Name")


class ErrorCode(IntEnum):
    """Those of JSON-RPC, and the protocol's own."""

    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    HEADER_MISMATCH = -32020
    UNSUPPORTED_PROTOCOL_VERSION = -32022


class ProtocolError(Exception):
    """Why a message has no result."""

    def __init__(self, code: ErrorCode, message: str, **data: Any) -> None:
        super().__init__(message)
        self.code = code
        self.error = {"code": code, "message": message} | ({"data": data} if data else {})


class Message(RedactedRepr, msgspec.Struct, frozen=True):
    """A request, or without an `id` a notification."""

    jsonrpc: Literal["2.0"]
    method: str
    id: int | str | UnsetType = UNSET
    params: msgspec.Raw = msgspec.Raw(b"{}")


class Meta(RedactedRepr, msgspec.Struct, frozen=True):
    """What each request of the stateless revision says of its sender."""

    version: str | None = msgspec.field(name="io.modelcontextprotocol/protocolVersion", default=None)
    capabilities: dict[str, msgspec.Raw] | None = msgspec.field(
        name="io.modelcontextprotocol/clientCapabilities", default=None
    )


class Params(RedactedRepr, msgspec.Struct, frozen=True):
    """The parameters of any of the methods."""

    meta: Meta = msgspec.field(name="_meta", default=Meta())
    protocol_version: str | None = msgspec.field(name="protocolVersion", default=None)
    cursor: str | None = None
    name: str | None = None
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


_MESSAGE: Final = msgspec.json.Decoder(Message)
_PARAMS: Final = msgspec.json.Decoder(Params)


def parse_message(body: bytes) -> Message:
    """Raises ProtocolError, as all of these functions do."""
    try:
        return inputs.decoded(body, _MESSAGE)
    except Problem as problem:
        is_json = not problem.detail.endswith(inputs.NO_JSON)
        raise ProtocolError(ErrorCode.INVALID_REQUEST if is_json else ErrorCode.PARSE_ERROR, problem.detail) from None


def parse_params(message: Message) -> Params:
    try:
        return inputs.decoded(bytes(message.params), _PARAMS, "params")
    except Problem as problem:
        raise ProtocolError(ErrorCode.INVALID_PARAMS, problem.detail) from None


def is_stateless(message: Message, params: Params, headers: RequestHeaders) -> bool:
    """Whether this is a request of the stateless revision, whose headers repeat parts of the body.

    Other software on the way may have read the headers alone, so that those that differ are refused.
    """
    version, sender = headers.single(VERSION_HEADER), params.meta
    if message.method == "initialize" or (sender.version is None and version in WITH_HANDSHAKE):
        return False
    if sender.version is None or sender.capabilities is None:
        expected = " and ".join(Meta.__struct_encode_fields__)
        raise ProtocolError(ErrorCode.INVALID_PARAMS, f"params._meta: expected {expected}")
    repeated = {VERSION_HEADER: sender.version, METHOD_HEADER: message.method}
    if message.method == "tools/call":
        repeated[NAME_HEADER] = params.name or ""
    for name, value in repeated.items():
        if _unwrapped(headers.single(name)) != value:
            raise ProtocolError(ErrorCode.HEADER_MISMATCH, f"{name}: expected what the body says")
    if version != STATELESS:
        code = ErrorCode.UNSUPPORTED_PROTOCOL_VERSION
        raise ProtocolError(code, "Unsupported protocol version", supported=SUPPORTED, requested=version)
    return True


def _unwrapped(header: str | None) -> str | None:
    """The value of a header that may be wrapped in Base64 (`=?base64?…?=`); None where it can't be read."""
    if header is None or not (header.startswith("=?base64?") and header.endswith("?=")):
        return header
    try:
        return base64.b64decode(header[9:-2], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
