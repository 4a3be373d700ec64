"""Tracing on, off, and in part: who is told what, and what is imported."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from gateway.app import create_app
from gateway.config.converter import from_tables
from gateway.config.settings import ConfigurationError
from tests.gateways import OWN, Gateway, tables
from tests.traces.asking import PATH, SAMPLED, tracing
from tests.traces.collector import Collector


async def test_the_service_has_a_name(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tracing() as gateway:
        await gateway.client.get(PATH)
    assert collector.resource["service.name"] == "connection-gateway"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ours")
    async with tracing() as gateway:
        await gateway.client.get(PATH)
    assert collector.resource["service.name"] == "ours"


async def test_a_collector_that_is_not_there_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # it takes connections, and never answers
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        async with tracing() as gateway:
            assert (await gateway.client.get(PATH)).status_code == 200


async def test_opentelemetry_can_be_switched_off_by_its_own_variable(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, told: list[str | None]
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    async with tracing() as gateway:
        plain = await gateway.client.get(PATH)
        assert (plain.status_code, "traceparent" in plain.headers) == (200, False)
        assert (await gateway.client.get(PATH, headers={"traceparent": SAMPLED})).status_code == 200
        assert not any(line.get("trace_id") == "0" * 32 for line in gateway.logged())
    assert collector.spans == []
    assert None in told


def test_a_variable_that_is_not_as_it_should_be_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SPAN_LINK_COUNT_LIMIT", "many")
    with pytest.raises(ConfigurationError, match=r"server\.traces: one of OpenTelemetry's variables"):
        create_app(from_tables(tables(OWN, {"traces": True})))


async def test_off_it_says_nothing(gateway: Gateway, told: list[str | None]) -> None:
    answer = await gateway.client.get(PATH, headers={"traceparent": SAMPLED})
    assert "traceparent" not in answer.headers
    assert set(told) == {None}
    assert not any("trace_id" in line for line in gateway.logged())


def test_off_nothing_of_it_is_imported() -> None:
    program = """
import asyncio, sys
from tests.gateways import running
async def main():
    async with running() as gateway:
        assert (await gateway.client.get("/v1/connections/acme/101")).status_code == 200
asyncio.run(main())
print(sorted(name for name in sys.modules if name.startswith(("opentelemetry", "google", "requests"))))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*sys.modules, "opentelemetry"]:
        if name.partition(".")[0] == "opentelemetry":
            monkeypatch.setitem(sys.modules, name, None)
    for ours in ("gateway.telemetry.otel", "gateway.telemetry.otel_spans"):
        monkeypatch.delitem(sys.modules, ours, raising=False)
    with pytest.raises(ConfigurationError, match=r"server\.traces: .* install connection-gateway\[otel\]"):
        create_app(from_tables(tables(OWN, {"traces": True})))
