"""The spans of calls to platforms: those that the batcher makes, and each request that leaves."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

import httpx
from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

OURS: Final = "connection_gateway"
"""How attributes begin that no convention has, and who makes the spans."""
PROPAGATOR: Final = TraceContextTextMapPropagator()
TRACEPARENT: Final = "traceparent"


ErrorType = Callable[[BaseException], str]
"""What a span says of an exception, as `error.type`."""


def _class_name(error: BaseException) -> str:
    return type(error).__name__


class PlatformSpans:
    """Of one platform. The `Spans` of the batcher and of the stack."""

    def __init__(self, tracer: trace.Tracer, platform: str, error_type: ErrorType = _class_name) -> None:
        self._tracer = tracer
        self._platform = platform
        self._error_type = error_type

    def asker(self) -> SpanContext:
        return trace.get_current_span().get_span_context()

    @contextlib.contextmanager
    def batch(self, users: int, askers: Callable[[], Iterable[object]]) -> Iterator[None]:
        """Its parent is one who asked, if possible one whose trace is kept."""
        before = _each_once(askers()) or [trace.INVALID_SPAN_CONTEXT]
        parent = next((each for each in before if each.trace_flags.sampled), before[0])
        inside = trace.set_span_in_context(trace.NonRecordingSpan(parent), context.Context())
        what = {f"{OURS}.platform": self._platform, f"{OURS}.users": users}
        with self._current("batch", SpanKind.INTERNAL, what, inside) as span:
            try:
                yield
            finally:
                for each in _each_once(askers()):
                    span.add_link(each)

    def wire(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return _Traced(inner, self._current, self._platform)

    @contextlib.contextmanager
    def _current(
        self, name: str, kind: SpanKind, what: dict[str, Any], inside: context.Context | None = None
    ) -> Iterator[Span]:
        """A span around what is done. It keeps an exception's type, and never its text, which may name users."""
        with self._tracer.start_as_current_span(
            name, inside, kind, what, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except BaseException as error:
                failed(span, self._error_type(error))
                raise


class _Traced(httpx.AsyncBaseTransport):
    """A span for each request that leaves, which tells the platform whose child it is."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, current: Callable[..., AbstractContextManager[Span]], platform: str
    ) -> None:
        self._inner = inner
        self._current = current
        self._platform = platform

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        what = {
            "http.request.method": request.method,
            "server.address": request.url.host,
            f"{OURS}.platform": self._platform,
        }
        with self._current(request.method, SpanKind.CLIENT, what) as span:
            told: dict[str, str] = {}
            PROPAGATOR.inject(told)
            if TRACEPARENT in told:
                request.headers[TRACEPARENT] = told[TRACEPARENT]
            response = await self._inner.handle_async_request(request)
            span.set_attribute("http.response.status_code", response.status_code)
            if response.is_error:
                failed(span, str(response.status_code))
            return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def failed(span: Span, how: str, *, is_ours: bool = True) -> None:
    """`error.type` is `how`; what is the caller's mistake is no error of the span."""
    span.set_attribute("error.type", how)
    if is_ours:
        span.set_status(Status(StatusCode.ERROR))


def _each_once(askers: Iterable[object]) -> list[SpanContext]:
    """In the order in which they asked."""
    return list({each.span_id: each for each in askers if isinstance(each, SpanContext) and each.is_valid}.values())
