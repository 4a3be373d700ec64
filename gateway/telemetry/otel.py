"""OpenTelemetry set-up: the extra `otel`. Nothing imports this unless `server.traces` is set.

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
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_SPAN_LINK_COUNT_LIMIT
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from gateway import __version__
from gateway.telemetry.otel_spans import OURS, ErrorType, PlatformSpans

EXPORT_WITHIN: Final = 2.0
"""Seconds that the end of the process waits for the last spans to be handed on."""
MOST_LINKS: Final = 10_000
"""Links of a span, unless the environment says how many: more may wait for a call than OpenTelemetry's own 128."""


class Traces:
    """Of one process; `aclose` hands on what is left. ValueError for a variable that is not as it should be."""

    def __init__(self, error_type: ErrorType) -> None:
        """`error_type` says what a span tells of an exception that ended a call to a platform."""
        self._error_type = error_type
        resource = Resource.create({"service.version": __version__})
        if str(resource.attributes["service.name"]).startswith("unknown_service"):
            resource = resource.merge(Resource({"service.name": "connection-gateway"}))
        limits = SpanLimits(max_links=int(os.environ.get(OTEL_SPAN_LINK_COUNT_LIMIT) or MOST_LINKS))
        self._provider = TracerProvider(resource=resource, span_limits=limits, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self.tracer = self._provider.get_tracer(OURS, __version__)

    def of(self, platform: str) -> PlatformSpans:
        return PlatformSpans(self.tracer, platform, self._error_type)

    async def aclose(self) -> None:
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, EXPORT_WITHIN)
