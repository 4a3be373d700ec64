"""Traces, as OpenTelemetry has them: the extra `otel`. Nothing imports this unless `server.traces` is set.

A request is a span, with one for the look at the cache and one for its wait. A call of the batcher is one, a child of
a request that waited for it and linked to all that did; each try that leaves is one below that. `traceparent` is
taken from callers, handed to platforms, and told in answers. Spans hold methods, routes, statuses, counts and names
from the configuration: no path or query, which name users, no header, no body.

Where spans go, and which are kept, is said by OpenTelemetry's own environment variables (`OTEL_…`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import httpx
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_SPAN_LINK_COUNT_LIMIT
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import __version__
from gateway.entrance import API
from gateway.line import Question
from gateway.telemetry.access import ACCESS, Access

PATIENCE: Final = 2.0
"""Seconds that the end of the process waits for the last spans to be handed on."""
MOST_LINKS: Final = 10_000
"""Links of a span, unless the environment says how many: more may wait for a call than OpenTelemetry's own 128."""
OURS: Final = "connection_gateway"
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_CARRIED: Final = ("traceparent", "tracestate")


class Traces:
    """Of one process; `aclose` hands on what is left."""

    def __init__(self) -> None:
        resource = Resource.create({"service.version": __version__})
        if str(resource.attributes["service.name"]).startswith("unknown_service"):
            resource = resource.merge(Resource({"service.name": "connection-gateway"}))
        limits = SpanLimits(max_links=int(os.environ.get(OTEL_SPAN_LINK_COUNT_LIMIT) or MOST_LINKS))
        self._provider = TracerProvider(resource=resource, span_limits=limits, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self.tracer = self._provider.get_tracer(OURS, __version__)

    def layer(self, app: ASGIApp) -> ASGIApp:
        """What the layers of an app are made with."""
        return Tracing(app, self.tracer)

    def of(self, platform: str) -> PlatformTraces:
        return PlatformTraces(self.tracer, platform)

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
        given = {name: value for name in _CARRIED if (value := access.headers.last(name)) is not None}
        span = self._tracer.start_span(scope["method"], _PROPAGATOR.extract(given), SpanKind.SERVER)
        told: dict[str, str] = {}
        _PROPAGATOR.inject(told, trace.set_span_in_context(span))
        access.trace_id = trace.format_trace_id(span.get_span_context().trace_id)
        access.is_traced = span.is_recording()

        async def send_with_parent(message: Message) -> None:
            if "headers" in message:
                message["headers"].append((b"traceparent", told["traceparent"].encode()))
            await send(message)

        token = context.attach(trace.set_span_in_context(span))
        began = time.time_ns()
        try:
            await self._app(scope, receive, send_with_parent)
        finally:
            context.detach(token)
            self._tell_steps(access, span, began)
            _describe(span, scope, access)
            span.end()

    def _tell_steps(self, access: Access, request: Span, began: int) -> None:
        """What took place beside the call, which has a span of its own. Times are the loop's, in milliseconds."""
        if not access.accounts:
            return
        zero = time.time_ns() - int(asyncio.get_running_loop().time() * 1e9)
        inside = trace.set_span_in_context(request)
        for step in (step for account in access.accounts for step in account.own_steps()):
            start = max(zero + int(step.begun * 1e9), began)
            what = {f"{OURS}.outcome": step.outcome or ""}
            span = self._tracer.start_span(step.kind, inside, attributes=what, start_time=start)
            span.end(start if step.ended is None else max(zero + int(step.ended * 1e9), start))


class PlatformTraces:
    """The spans of calls to one platform."""

    def __init__(self, tracer: trace.Tracer, platform: str) -> None:
        self._tracer = tracer
        self._platform = platform

    def asker(self) -> SpanContext:
        return trace.get_current_span().get_span_context()

    @contextlib.contextmanager
    def batch(self, questions: Sequence[Question]) -> Iterator[Span]:
        """Its parent is one who asked, if possible one whose trace is kept."""
        first = _askers(questions)
        parent = next(
            (each for each in first if each.trace_flags.sampled), next(iter(first), trace.INVALID_SPAN_CONTEXT)
        )
        inside = trace.set_span_in_context(trace.NonRecordingSpan(parent), context.Context())
        what: dict[str, Any] = {f"{OURS}.platform": self._platform, f"{OURS}.users": len(questions)}
        with self._current("batch", SpanKind.INTERNAL, what, inside) as span:
            try:
                yield span
            finally:
                for each in _askers(questions):
                    span.add_link(each)

    def wire(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return _Traced(inner, self._tracer, self._platform)


class _Traced(httpx.AsyncBaseTransport):
    """A span for each request that leaves, which tells the platform whose child it is."""

    def __init__(self, inner: httpx.AsyncBaseTransport, tracer: trace.Tracer, platform: str) -> None:
        self._inner = inner
        self._tracer = tracer
        self._platform = platform

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        what: dict[str, Any] = {
            "http.request.method": request.method,
            "server.address": request.url.host,
            f"{OURS}.platform": self._platform,
        }
        with self._tracer.start_as_current_span(
            request.method,
            kind=SpanKind.CLIENT,
            attributes=what,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            carried: dict[str, str] = {}
            _PROPAGATOR.inject(carried)
            request.headers.update(carried)
            try:
                response = await self._inner.handle_async_request(request)
            except BaseException as failure:
                _fail(span, type(failure).__name__)
                raise
            span.set_attribute("http.response.status_code", response.status_code)
            if response.is_error:
                _fail(span, str(response.status_code))
            return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def _askers(questions: Sequence[Question]) -> list[SpanContext]:
    """Each once, in the order in which they asked."""
    askers = (waiter.asker for question in questions for waiter in question.waiters)
    return list({each.span_id: each for each in askers if isinstance(each, SpanContext) and each.is_valid}.values())


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
        span.set_attribute("error.type", access.problem)
        if access.status is None or access.status >= 500:
            span.set_status(Status(StatusCode.ERROR))


def _fail(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))
