from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adapters.simulation import Simulator
from tests.traces.collector import Collector, collecting


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        yield found


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The `traceparent` of each call that a platform gets."""
    seen: list[str | None] = []
    original = Simulator.__call__

    async def noting(simulator: Simulator, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.append(dict(scope["headers"]).get(b"traceparent", b"").decode() or None)
        await original(simulator, scope, receive, send)

    monkeypatch.setattr(Simulator, "__call__", noting)
    return seen
