"""`/console` is served where it is configured, whole, and from one source."""

from __future__ import annotations

import re

import pytest

from gateway import pages
from tests.docs.pages import ROOT
from tests.gateways import CALLERS, Gateway, caller, running

FOLDER = ROOT / "gateway" / "pages" / "console"
HTML = {"Accept": "text/html"}


@pytest.mark.parametrize("path", ["/console", "/console/console.js"])
async def test_the_console_is_off_by_default(gateway: Gateway, path: str) -> None:
    answer = await gateway.client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert 'href="console"' not in (await gateway.client.get("/", headers=HTML)).text


async def test_the_page_runs_nothing_inline_and_loads_nothing_from_other_hosts() -> None:
    async with running(console=True) as gateway:
        answer = await gateway.client.get("/console")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert set(re.findall(r'(?:href|src)="([a-z]+:|//)', answer.text)) == set()
    assert not re.search(r"<style|style=|<script(?! type=\"module\" src)| on\w+=", answer.text)


async def test_every_file_is_served_and_no_other() -> None:
    files = {file.name for file in FOLDER.iterdir()}
    assert files - {"console.html"} == pages.CONSOLE_PARTS
    async with running(console=True) as gateway:
        for name in pages.CONSOLE_PARTS:
            answer = await gateway.client.get(f"/console/{name}")
            assert (answer.status_code, answer.content) == (200, (FOLDER / name).read_bytes())
            assert answer.headers["x-content-type-options"] == "nosniff"
        for name in ("console.html", "__init__.py", "nothing.js"):
            assert (await gateway.client.get(f"/console/{name}")).status_code == 404


async def test_every_import_is_served_and_the_client_is_the_published_one() -> None:
    scripts = [file.read_text() for file in FOLDER.glob("*.js")]
    imported = {path for text in scripts for path in re.findall(r'^import .* from "(.*)";$', text, re.MULTILINE)}
    assert "../client/gateway.js" in imported
    async with running(console=True) as gateway:
        for path in imported:
            answer = await gateway.client.get(str(gateway.client.base_url.join("/console/").join(path)))
            assert (answer.status_code, answer.headers["content-type"]) == (200, "text/javascript; charset=utf-8")


async def test_the_page_needs_no_key_and_what_it_asks_for_does() -> None:
    async with running(CALLERS, [caller("web")], console=True) as gateway:
        assert (await gateway.client.get("/console")).status_code == 200
        assert (await gateway.client.get("/v1/me")).status_code == 401


async def test_the_start_page_leads_to_it() -> None:
    async with running(console=True) as gateway:
        assert 'href="console"' in (await gateway.client.get("/", headers=HTML)).text
