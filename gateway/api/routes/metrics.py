"""`GET /metrics`: metrics in Prometheus' text format. Labels name platforms, never users."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.api.endpoint import Endpoint
from gateway.openapi import shared
from gateway.openapi.operation import OF_PROBES, Answer, Operation, Tag
from gateway.telemetry.metrics import CONTENT_TYPE, Metrics

EXAMPLE: Final = """\
# HELP connection_gateway_waiting Requests that wait for the platform.
# TYPE connection_gateway_waiting gauge
connection_gateway_waiting{platform="acme"} 0.0
"""
OPERATION: Final = Operation(
    tag=Tag.OPERATION,
    summary="Metrics",
    details="In Prometheus' text format. Needs no key. Labels name platforms, never users.",
    parameters=(shared.REQUEST_ID,),
    answers={HTTPStatus.OK: Answer("The metrics.", str, EXAMPLE, CONTENT_TYPE, headers=(shared.NOT_STORED,))},
    problems=OF_PROBES,
    needs_key=False,
)


def routes(metrics: Metrics) -> list[Endpoint]:
    async def get_metrics(_request: Request) -> Response:
        return Response(await metrics.text(), headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"})

    return [Endpoint("/metrics", get_metrics, OPERATION, is_compressed=True)]
