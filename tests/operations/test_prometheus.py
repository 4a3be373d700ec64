"""The alerts: promtool takes them, each fires in a test and is silent in another, and each has a runbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.operations.tools import CONFIG, needs, output_of, run

FOLDER = CONFIG / "prometheus"


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


@needs("promtool")
def test_promtool_takes_the_rules_and_the_configuration() -> None:
    output_of("promtool", "check", "rules", FOLDER / "alerts.yaml")
    output_of("promtool", "check", "config", FOLDER / "prometheus.yml")


@needs("promtool")
def test_each_alert_fires_and_is_silent_as_its_tests_say() -> None:
    output_of("promtool", "test", "rules", FOLDER / "alerts.test.yaml")


@needs("promtool")
def test_an_alert_that_never_fires_is_found(tmp_path: Path) -> None:
    text = (FOLDER / "alerts.yaml").read_text()
    (tmp_path / "alerts.yaml").write_text(text.replace('connection-gateway"} == 0', 'connection-gateway"} == 2'))
    (tmp_path / "alerts.test.yaml").write_text((FOLDER / "alerts.test.yaml").read_text())
    tested = run("promtool", "test", "rules", tmp_path / "alerts.test.yaml")
    assert tested.returncode != 0
    assert "ConnectionGatewayDown" in tested.stdout + tested.stderr


def test_each_alert_is_tested_both_ways() -> None:
    tests = yaml.safe_load((FOLDER / "alerts.test.yaml").read_text())["tests"]
    checks = [check for test in tests for check in test["alert_rule_test"]]
    names = {rule["alert"] for rule in alerts()}
    assert {check["alertname"] for check in checks if check["exp_alerts"]} == names
    assert {check["alertname"] for check in checks if not check["exp_alerts"]} == names


def test_each_alert_has_a_runbook_that_names_it_and_says_whom_it_wakes() -> None:
    index = (CONFIG.parent / "docs/runbooks/index.md").read_text()
    for rule in alerts():
        page = CONFIG.parent / rule["annotations"]["runbook"]
        assert f"`{rule['alert']}`" in page.read_text()
        (row,) = (line for line in index.splitlines() if f"`{rule['alert']}`" in line)
        assert f"]({page.name})" in row
        assert rule["labels"]["severity"] in {"page", "ticket"}
