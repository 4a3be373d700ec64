"""OpenTelemetry spans of API requests, and of their steps that are not calls to platforms."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.context import API
from gateway.api.request_record import REQUEST_RECORD, RequestRecord
from gateway.telemetry.otel_spans import OURS, PROPAGATOR, failed


class Tracing:
    """Middleware that starts a span for each request of the API."""

    def __init__(self, app: ASGIApp, tracer: trace.Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self._app(scope, receive, send)
            return
        record: RequestRecord = scope[REQUEST_RECORD]
        given = {} if record.traceparent is None else {"traceparent": record.traceparent}
        span = self._tracer.start_span(scope["method"], PROPAGATOR.extract(given, context.Context()), SpanKind.SERVER)
        inside = trace.set_span_in_context(span)
        told: dict[str, str] = {}
        PROPAGATOR.inject(told, inside)
        if told:  # where all of it is switched off, a call without a trace has none
            record.trace_id = trace.format_trace_id(span.get_span_context().trace_id)
        record.is_traced = span.is_recording()

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
            self._tell_steps(record, inside, began)
            _describe(span, scope, record)
            span.end()

    def _tell_steps(self, record: RequestRecord, request: context.Context, began: int) -> None:
        """What took place beside the call, which has a span of its own. Times are the loop's, in milliseconds."""
        if not record.explainers:
            return
        now = time.time_ns()
        zero = now - int(asyncio.get_running_loop().time() * 1e9)
        for step in (step for explainer in record.explainers for step in explainer.own_steps()):
            start = max(zero + int(step.begun * 1e9), began)
            what = {f"{OURS}.outcome": step.outcome or ""}
            span = self._tracer.start_span(step.kind, request, attributes=what, start_time=start)
            span.end(now if step.ended is None else max(zero + int(step.ended * 1e9), start))


def _describe(span: Span, scope: Scope, record: RequestRecord) -> None:
    route = scope["route"].path if "route" in scope else None
    method = scope["method"]
    if route is not None:
        span.update_name(f"{method} {route}")
    known: dict[str, Any] = {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": record.status,
        f"{OURS}.caller": record.caller,
        f"{OURS}.platform": record.platform,
        f"{OURS}.request_id": record.request_id,
    }
    span.set_attributes({name: value for name, value in known.items() if value is not None})
    if record.problem is not None:
        failed(span, record.problem, is_ours=record.status is None or record.status >= 500)
