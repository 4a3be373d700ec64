"""`/problems/{slug}`: every row of the table has its page, and what that says of this gateway is so."""

from __future__ import annotations

import html
import re

import pytest

from gateway.config.caller_settings import CallerSettings
from gateway.config.settings import CacheSettings, ServerSettings
from gateway.problems.advice import advice
from gateway.problems.problem import Kind
from tests.gateways import OWN, Gateway, caller, running

EVERY_KIND = pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.slug)
CODE = re.compile(r"`([^`]+)`")


def plain(text: str) -> str:
    """As a reader sees it."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


@EVERY_KIND
async def test_every_problem_has_its_page(gateway: Gateway, kind: Kind) -> None:
    answer = await gateway.client.get(f"/problems/{kind.slug}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = plain(answer.text)
    said = advice()[kind]
    for part in (kind.title, str(kind.status), said.meaning, said.caller, said.operator):
        assert part.replace("`", "") in page


@EVERY_KIND
def test_three_things_are_said_of_it(kind: Kind) -> None:
    said = advice()[kind]
    for text in (said.meaning, said.caller, said.operator):
        assert text.endswith(".")
        assert text.count("`") % 2 == 0
    assert len({said.meaning, said.caller, said.operator}) == 3


@EVERY_KIND
async def test_what_it_names_is_there(gateway: Gateway, kind: Kind) -> None:
    said = advice()[kind]
    words = set(CODE.findall(f"{said.meaning} {said.caller} {said.operator}"))
    settings = {
        "server": ServerSettings.__struct_fields__,
        "cache": CacheSettings.__struct_fields__,
    }
    metrics = (await gateway.client.get("/metrics")).text
    for word in words:
        table, _, key = word.partition(".")
        if table in settings:
            assert key in settings[table], word
        if word.startswith(("connection_gateway_", "http_")):
            assert word in metrics, word
        if found := re.fullmatch(r"(?:GET|POST) (/\S+)", word):
            assert (await gateway.client.get(found[1])).status_code != 404, word


def test_the_advice_knows_what_callers_have() -> None:
    named = set(CODE.findall(advice()[Kind.NOT_ALLOWED].operator))
    assert {word for word in named if word.isidentifier() and word.islower()} <= set(CallerSettings.__struct_fields__)
    assert {"platforms", "may", "on_behalf_of"} <= named


@pytest.mark.parametrize("slug", ["nothing", "", "not-found/", "NOT-FOUND", "<b>"])
async def test_there_is_no_other_page(gateway: Gateway, slug: str) -> None:
    answer = await gateway.client.get(f"/problems/{slug}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


async def test_a_page_of_advice_needs_no_key() -> None:
    async with running(OWN, [caller("web")]) as gateway:
        for path in ("/problems/invalid-api-key", "/docs", "/docs/docs.js", "/openapi.json"):
            assert (await gateway.client.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/problems/overloaded"])
async def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(gateway: Gateway, path: str) -> None:
    answer = await gateway.client.get(path)
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy.pop("default-src") == "'none'"
    assert set(policy.values()) <= {"'self'", "'none'"}
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|style=|javascript:|https?://", answer.text)


@pytest.mark.parametrize(
    ("name", "media_type"), [("docs.css", "text/css"), ("docs.js", "text/javascript"), ("icon.svg", "image/svg+xml")]
)
async def test_the_parts_of_pages(gateway: Gateway, name: str, media_type: str) -> None:
    answer = await gateway.client.get(f"/docs/{name}")
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["docs.html", "problem.html", "__init__.py", "nothing", ""])
async def test_nothing_else_is_served(gateway: Gateway, name: str) -> None:
    answer = await gateway.client.get(f"/docs/{name}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
