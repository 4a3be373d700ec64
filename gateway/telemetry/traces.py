"""Traces, as OpenTelemetry has them: the extra `otel`. Nothing imports this unless `server.traces` is set.

A request is a span; below it are one for each look at the cache and one for a lookup's wait. A call of the batcher is
one (`traced`), a child of a request that waited for it and linked to all that did, and each try that leaves is one.
`traceparent` is taken from callers, handed to platforms, and told in answers; `tracestate`, in which a caller may say
anything, is not. Spans hold methods, routes, statuses, counts and names from the configuration: no path or query,
which name users, no other header, no body, and no text of an exception.

Where spans go, and which are kept, is said by OpenTelemetry's own environment variables (`OTEL_…`).
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any, Final

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_SPAN_LINK_COUNT_LIMIT
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import __version__
from gateway.entrance import API
from gateway.telemetry.access import ACCESS, Access
from gateway.telemetry.traced import OURS, PROPAGATOR, TracedCalls, failed

PATIENCE: Final = 2.0
"""Seconds that the end of the process waits for the last spans to be handed on."""
MOST_LINKS: Final = 10_000
"""Links of a span, unless the environment says how many: more may wait for a call than OpenTelemetry's own 128."""


class Traces:
    """Of one process; `aclose` hands on what is left. ValueError for a variable that is not as it should be."""

    def __init__(self) -> None:
        resource = Resource.create({"service.version": __version__})
        if str(resource.attributes["service.name"]).startswith("unknown_service"):
            resource = resource.merge(Resource({"service.name": "connection-gateway"}))
        limits = SpanLimits(max_links=int(os.environ.get(OTEL_SPAN_LINK_COUNT_LIMIT) or MOST_LINKS))
        self._provider = TracerProvider(resource=resource, span_limits=limits, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(OURS, __version__)

    def layer(self, app: ASGIApp) -> ASGIApp:
        """What the layers of an app are made with."""
        return Tracing(app, self._tracer)

    def of(self, platform: str) -> TracedCalls:
        return TracedCalls(self._tracer, platform)

    async def aclose(self) -> None:
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, PATIENCE)


class Tracing:
    """The layer around every call of the API, inside of what gives it its id."""

    def __init__(self, app: ASGIApp, tracer: trace.Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self._app(scope, receive, send)
            return
        access: Access = scope[ACCESS]
        given = {} if access.traceparent is None else {"traceparent": access.traceparent}
        span = self._tracer.start_span(scope["method"], PROPAGATOR.extract(given, context.Context()), SpanKind.SERVER)
        inside = trace.set_span_in_context(span)
        told: dict[str, str] = {}
        PROPAGATOR.inject(told, inside)
        if told:  # where all of it is switched off, a call without a trace has none
            access.trace_id = trace.format_trace_id(span.get_span_context().trace_id)
        access.is_traced = span.is_recording()

        async def send_with_parent(message: Message) -> None:
            if "headers" in message:
                message["headers"] += [(name.encode(), value.encode()) for name, value in told.items()]
            await send(message)

        token = context.attach(inside)
        began = time.time_ns()
        try:
            await self._app(scope, receive, send_with_parent)
        finally:
            context.detach(token)
            self._tell_steps(access, inside, began)
            _describe(span, scope, access)
            span.end()

    def _tell_steps(self, access: Access, request: context.Context, began: int) -> None:
        """What took place beside the call, which has a span of its own. Times are the loop's, in milliseconds."""
        if not access.stories:
            return
        now = time.time_ns()
        zero = now - int(asyncio.get_running_loop().time() * 1e9)
        for step in (step for story in access.stories for step in story.own_steps()):
            start = max(zero + int(step.begun * 1e9), began)
            what = {f"{OURS}.outcome": step.outcome or ""}
            span = self._tracer.start_span(step.kind, request, attributes=what, start_time=start)
            span.end(now if step.ended is None else max(zero + int(step.ended * 1e9), start))


def _describe(span: Span, scope: Scope, access: Access) -> None:
    route = scope["route"].path if "route" in scope else None
    method = scope["method"]
    if route is not None:
        span.update_name(f"{method} {route}")
    known: dict[str, Any] = {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": access.status,
        f"{OURS}.caller": access.caller,
        f"{OURS}.platform": access.platform,
        f"{OURS}.request_id": access.request_id,
    }
    span.set_attributes({name: value for name, value in known.items() if value is not None})
    if access.problem is not None:
        failed(span, access.problem, is_ours=access.status is None or access.status >= 500)
