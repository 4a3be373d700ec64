"""`POST /v1/events/{platform}`: what a platform sends when something has changed there. Its signature is the key."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from adapters.settings import PlatformSettings
from adapters.webhook import InvalidSignature, MalformedEvent, Webhook
from gateway.api import inputs
from gateway.api.context import RequestContext
from gateway.api.endpoint import Endpoint
from gateway.openapi import shared
from gateway.openapi.operation import OF_PROBES, Answer, Operation, Tag
from gateway.platforms.watch.event_inbox import EventInbox
from gateway.platforms.watch.signature_failures import ALWAYS_VERIFIED, SignatureFailures
from gateway.problems.problem import Kind, Problem

INVALID: Final = "invalid"
"""The outcome of an event whose signature does not verify."""
MALFORMED: Final = "malformed"
UNVERIFIED: Final = "unverified"
"""The outcome of a long event whose signature was not looked at, because too many were invalid."""
OPERATION: Final = Operation(
    tag=Tag.OPERATION,
    summary="Receive an event of a platform",
    details="""\
For platforms that send webhooks, if `events` is configured for them. The platform signs the request, which needs no
key. An event says only that something about two users may have changed: what is cached of them is dropped, and what
is watched of them is read again. The same event again changes nothing, and neither does one about anything else.""",
    parameters=(shared.PLATFORM, shared.REQUEST_ID),
    body=dict[str, Any],
    body_example={
        "event_id": 1,
        "type": "connection.created",
        "data": {"from_user": {"id": 1}, "to_user": {"id": 2}},
    },
    answers={HTTPStatus.NO_CONTENT: Answer("It was received.", None, None, headers=(shared.NOT_STORED,))},
    problems=OF_PROBES
    | {Kind.INVALID_API_KEY, Kind.UNKNOWN_PLATFORM, Kind.NOT_FOUND, Kind.PAYLOAD_TOO_LARGE, Kind.OVERLOADED},
    needs_key=False,
    sees=False,
)


def routes(inboxes: Mapping[str, EventInbox], count: Callable[[str, str], None]) -> list[Endpoint]:
    """`count` is called with the platform and the outcome of each event."""
    failures = {platform: SignatureFailures() for platform in inboxes}

    async def receive_event(request: Request) -> Response:
        context = RequestContext.of(request)
        inputs.only_query(request)
        platform = inputs.platform(request, context).name
        webhook = _webhook(context.snapshot.settings.platforms[platform])
        signature = context.headers.single(webhook.SIGNATURE_HEADER) or ""
        body = await request.body()
        if not failures[platform].may_verify(len(body)):
            count(platform, UNVERIFIED)
            detail = f"too many events could not be verified: expected at most {ALWAYS_VERIFIED} bytes for now"
            raise Problem(Kind.OVERLOADED, detail, retry_after=1)
        try:
            event = webhook.read(signature, body)
        except InvalidSignature:
            failures[platform].count()
            count(platform, INVALID)
            raise Problem(Kind.INVALID_API_KEY, "expected an event that this platform has signed") from None
        except MalformedEvent:
            count(platform, MALFORMED)
            raise Problem(Kind.INVALID_REQUEST, "body: expected an event") from None
        count(platform, inboxes[platform].take(event, time.time()))
        return Response(status_code=204, headers={"cache-control": "no-store"})

    return [Endpoint("/v1/events/{platform}", receive_event, OPERATION, "POST")]


def _webhook(settings: PlatformSettings) -> Webhook:
    webhook = None if settings.events is None else settings.events.webhook
    if webhook is None:
        raise Problem(Kind.NOT_FOUND, "this platform sends no events here")
    return webhook
