"""The dashboard and the alerts ask only for metrics, and values of labels, that a gateway exports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from adapters.simulation.faults import Fault
from gateway.config.settings import ServerSettings
from gateway.server.server import Server
from tests.gateways import caller, running
from tests.operations.tools import CONFIG, needs, output_of

DASHBOARD: Final = CONFIG / "grafana/connection-gateway.json"
NAME: Final = re.compile(r"\b(?:http_(?:server|client)|connection_gateway|process)_[a-z_]+\b(?!:)")
FIXED: Final = re.compile(r'\b(\w+)="([^"]+)"')
WINDOW: Final = "$__rate_interval"
NOT_OURS: Final = {"job"}
"""Labels that the scrape adds."""


def panels() -> list[dict[str, Any]]:
    return list(msgspec.json.decode(DASHBOARD.read_bytes())["panels"])


def queries() -> Iterator[str]:
    for panel in panels():
        for target in panel["targets"]:
            yield str(target["expr"])


def expressions() -> Iterator[str]:
    yield from queries()
    for group in yaml.safe_load((CONFIG / "prometheus/alerts.yaml").read_text())["groups"]:
        yield from (str(rule["expr"]) for rule in group["rules"])


@pytest.fixture
async def exported() -> dict[str, list[dict[str, str]]]:
    """Names of metrics, each with its series' labels, after a few requests of which one failed."""
    async with running(callers=[caller("web")]) as gateway, gateway.as_caller("web") as web:
        Server(gateway.app, ServerSettings(), gateway.log)  # which has metrics of its own
        for path in ("acme/101", "club/101"):
            assert (await web.get(f"/v1/connections/{path}")).status_code == 200
        gateway.acme.misbehave(Fault(status=500))
        assert (await web.get("/v1/connections/acme/102")).status_code == 502
        answer = await web.get("/metrics")
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


async def test_every_metric_is_exported(exported: dict[str, list[dict[str, str]]]) -> None:
    asked = {name for text in expressions() for name in NAME.findall(text)}
    assert len(asked) >= 15
    assert asked - {"connection_gateway"} <= set(exported)


async def test_every_label_is_exported(exported: dict[str, list[dict[str, str]]]) -> None:
    """Values too, except of what only happens in trouble."""
    known = {label for each in exported.values() for labels in each for label in labels}
    values = {(label, value) for each in exported.values() for labels in each for label, value in labels.items()}
    fixed = {pair for text in expressions() for pair in FIXED.findall(text) if pair[0] not in NOT_OURS}
    assert {label for label, _ in fixed} <= known
    assert fixed - values == {("error_type", "overloaded")}


@needs("promtool")
def test_prometheus_takes_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"query:{n}", "expr": text.replace(WINDOW, "1m")} for n, text in enumerate(queries())]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    output_of("promtool", "check", "rules", file)


def test_panels_have_different_places_and_names() -> None:
    assert len({(each["gridPos"]["x"], each["gridPos"]["y"]) for each in panels()}) == len(panels())
    assert len({each["title"] for each in panels()}) == len({each["id"] for each in panels()}) == len(panels())
