"""What several calls have in common: parameters, headers, and the example that runs through all of them."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from adapters.contract import Action, Connection, PlatformNameText, Status
from adapters.settings import PLATFORM_NAME
from adapters.user_ids import USER_ID, UserId
from gateway.openapi.operation import Answer, Header, Parameter, Where

_TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_NAMED: Final = f"{PLATFORM_NAME}={USER_ID}"
PLATFORM: Final = Parameter("platform", Where.PATH, PlatformNameText, "A name from `GET /v1/platforms`.", "acme")
USER: Final = Parameter("user_id", Where.PATH, UserId, "The target user.", "102")

REQUEST_ID: Final = Parameter(
    "X-Request-Id",
    Where.HEADER,
    str,
    "An id of your own: up to 64 of `A-Z a-z 0-9 . _ -`. It is returned in responses, problems and the log. Any other"
    " is replaced.",
    "order-4711",
)
TIMEOUT: Final = Parameter(
    "X-Request-Timeout-Ms",
    Where.HEADER,
    Annotated[int, Meta(ge=1)],
    "Milliseconds that you wait for the response, at most the gateway's own limit.",
    800,
)
FRESHNESS: Final = Parameter(
    "Cache-Control",
    Where.HEADER,
    str,
    "`no-cache`: ask the platform. `max-age=N`: nothing older than N seconds. With either, never a stale answer. What"
    " else HTTP has for this header is ignored.",
    "max-age=2",
)
ON_BEHALF: Final = Parameter(
    "X-On-Behalf-Of",
    Where.HEADER,
    Annotated[str, Meta(extra_json_schema={"pattern": f"^(?:{USER_ID}|{_NAMED}(?:, ?{_NAMED})*)$"})],
    "The viewer, for platforms that are asked on behalf of somebody (modes `obo` and `jwt`); nobody else may send it:"
    " `123`, or for several platforms `acme=123, club=7`.",
    "acme=7",
)

TRACE: Final = Parameter(
    "traceparent",
    Where.HEADER,
    str,
    "The trace that this call belongs to (W3C Trace Context). It is passed on to platforms if the gateway traces.",
    _TRACE,
)

HEADERS: Final = (ON_BEHALF, TIMEOUT, REQUEST_ID, TRACE)
"""What every call may bring that is about connections."""

OF_EVERY_ANSWER: Final = (Header("X-Request-Id", "Yours, or a generated one.", "fe79be88bcd04a26d73b10379648168c"),)
OF_EVERY_CALL_OF_THE_API: Final = (
    Header("traceparent", "The gateway's own span, if it traces.", _TRACE, always=False),
    Header(
        "RateLimit-Policy",
        "If your caller has a rate: `q` requests in each `w` seconds (draft-ietf-httpapi-ratelimit-headers).",
        '"caller";q=100;w=1',
        always=False,
    ),
    Header(
        "RateLimit",
        "If your caller has a rate: how many requests you may make now (`r`), and seconds until one more (`t`).",
        '"caller";r=42;t=1',
        always=False,
    ),
)
NOT_STORED: Final = Header("Cache-Control", "The response must not be stored.", "no-store")
OF_READS: Final = (
    Header("Cache-Control", "Only the gateway's own cache decides what is fresh.", "private, no-cache"),
    Header("Vary", "The headers that identify caller and viewer.", "X-API-Key, X-Platform-Token"),
    Header(
        "Age",
        "Seconds since the platform said so; for many users, of the oldest part.",
        0,
        type=Annotated[int, Meta(ge=0)],
    ),
    Header(
        "Cache-Status",
        "Where the answer came from (RFC 9211): `hit`, with `detail=shared` where another replica had it;"
        " `fwd=miss`, `fwd=stale` or `fwd=request` where the platform was asked, for one user with `collapsed` where"
        " somebody had asked the same just before; `detail` is the problem for which a stale answer is told;"
        " `fwd=bypass` for a list.",
        "connection-gateway; fwd=miss",
    ),
)

OF_DOCUMENTS: Final = tuple(
    msgspec.structs.replace(each, always=each.name not in {"Age", "Cache-Status"}) for each in OF_READS
)
"""Those of reads that may also be asked for in lines: what they end with is not known when they begin."""
ETAG: Final = Header(
    "ETag",
    "A weak entity tag over all that the answer says but `as_of`. Answers with `explain` or with `errors` have none:"
    " no two of them are the same.",
    'W/"3f6b0c1d2e4a5b6c7d8e9f00"',
    always=False,
)
IF_NONE_MATCH: Final = Parameter(
    "If-None-Match",
    Where.HEADER,
    str,
    "The `ETag` of an answer that you have kept: if nothing has changed, the answer is 304 without a body. It may"
    " take a call to the platform all the same.",
    ETAG.example,
)
UNCHANGED: Final = Answer(
    "Nothing has changed since the answer with this `ETag`.", None, None, headers=(*OF_READS, ETAG)
)

EXAMPLE: Final = Connection(
    platform="acme",
    user_id="102",
    status=Status.PENDING_INCOMING,
    native_status="PENDING_INCOMING",
    actions=(Action.ACCEPT, Action.REJECT),
    first_requested_at="2016-08-01T02:21:13.812Z",
    updated_at="2016-08-12T16:07:56.255Z",
    request_count=1,
    as_of="2026-11-21T21:41:00.123Z",
)
ACCEPTED: Final = msgspec.structs.replace(
    EXAMPLE, status=Status.CONNECTED, native_status="ACCEPTED", actions=(Action.REMOVE,)
)
