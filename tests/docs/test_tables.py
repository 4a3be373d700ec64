"""The tables of the documents list all that exists and nothing else."""

from __future__ import annotations

import re

import msgspec
from click.testing import CliRunner

from adapters.contract import Action, Status
from gateway.cli.commands import main
from gateway.config.caller_settings import CallerSettings
from gateway.config.settings import ServerSettings
from gateway.explain.timeline import StepKind
from gateway.platforms.actions import GOALS
from gateway.problems.problem import Kind
from gateway.server.server import Server
from tests.contract.dialects import BUDDYPRESS, SELFCOMMUNITY, SYMPHONY
from tests.docs.pages import PAGES, ROOT, rows, section
from tests.gateways import Gateway


def test_problems_has_a_row_for_every_problem() -> None:
    found = re.findall(r"^\| `/problems/([a-z-]+)` \| (\d+) \|", PAGES["docs/problems.md"], re.MULTILINE)
    assert found == [(kind.slug, str(kind.status)) for kind in Kind]


def test_api_has_a_row_for_every_action() -> None:
    found = {row[0].strip("`"): row[1] for row in rows(section("docs/api.md", "## Actions"))}
    assert {Action(name): set(re.findall(r"`(\w+)`", goal)) for name, goal in found.items()} == dict(GOALS)


def test_api_has_every_call() -> None:
    part = PAGES["docs/api.md"].partition("\n## ")[0]
    found = {path for row in rows(part) for path in re.findall(r"(/[^`?]*)", row[0])}
    assert found == set(msgspec.json.decode(CliRunner().invoke(main, ["openapi"]).output)["paths"])


def test_caching_has_every_step_of_an_explanation() -> None:
    found = {
        step
        for row in rows(section("docs/caching.md", "## Explain a response"))
        for step in re.findall(r"`(\w+)`", row[0])
    }
    assert found == set(StepKind)


def test_concepts_has_every_status_and_its_native_values() -> None:
    shown = rows(section("docs/concepts.md", "## The status"))
    assert {row[0].strip("`") for row in shown} == set(Status)
    for place, dialect in ((2, SYMPHONY), (3, SELFCOMMUNITY), (4, BUDDYPRESS)):
        native = {word.group(1): row[0].strip("`") for row in shown if (word := re.fullmatch(r"`(\w+)`", row[place]))}
        assert native.pop("null", "none") == "none"
        assert native == {word: status for word, status in dialect.words.items() if word}


def test_authentication_has_every_key_of_a_caller() -> None:
    found = {row[0].strip("`") for row in rows(section("docs/authentication.md", "## Which callers may ask"))}
    assert found == set(CallerSettings.__struct_fields__) - {"name", "key_sha256"}


def test_observability_has_every_event_of_the_log() -> None:
    said = section("docs/observability.md", "## Log")
    source = "".join(file.read_text() for file in (ROOT / "gateway").rglob("*.py"))
    events = set(re.findall(r'\.(?:line|failure)\(\s*"([a-z-]+)"', source))
    assert {"audit", "reloaded", "needs-restart", "platform"} <= events
    assert {event for event in events if f"`{event}`" not in said} == set()


async def test_observability_has_every_metric(gateway: Gateway) -> None:
    await gateway.client.get("/v1/connections/acme/101")
    Server(gateway.app, ServerSettings(), gateway.log)  # which has metrics of its own
    exposed = re.findall(
        r"^# TYPE (\S+) (?:counter|gauge|histogram)$", (await gateway.client.get("/metrics")).text, re.MULTILINE
    )
    said = {
        name
        for row in rows(section("docs/observability.md", "## Metrics"))
        for name in re.findall(r"`(\w+)`", row[0])
    }
    assert {name for name in exposed if not name.startswith("process_")} == said


def test_operations_has_every_command() -> None:
    found = {row[0].strip("`").split()[0] for row in rows(section("docs/operations.md", "## Commands"))}
    assert found == set(main.commands)
