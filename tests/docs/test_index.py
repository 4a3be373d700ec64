"""`GET /`: what whoever comes to the gateway's address sees first."""

from __future__ import annotations

import pytest

from gateway import __version__
from tests.gateways import OWN, Gateway, caller, running

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize("accept", [BROWSER, "text/html", "text/html;q=0.5, */*"])
async def test_a_browser_gets_a_page(gateway: Gateway, accept: str) -> None:
    answer = await gateway.client.get("/", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["vary"].startswith("Accept")
    assert 'href="docs"' in answer.text
    assert __version__ in answer.text


@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "application/json, text/html;q=0.9", "text/html;q=0", ""]
)
async def test_everybody_else_gets_json(gateway: Gateway, accept: str) -> None:
    answer = await gateway.client.get("/", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["vary"].startswith("Accept")
    found = answer.json()
    assert (found["name"], found["version"]) == ("connection-gateway", __version__)
    for link in found["links"].values():
        assert (await gateway.client.get(f"/{link}")).status_code == 200


async def test_the_index_needs_no_key_and_names_no_platform() -> None:
    async with running(OWN, [caller("web")]) as gateway:
        answer = await gateway.client.get("/")
        assert answer.status_code == 200
        assert "acme" not in answer.text


async def test_its_head_has_no_body(gateway: Gateway) -> None:
    answer = await gateway.client.head("/")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_other_methods_are_refused(gateway: Gateway) -> None:
    answer = await gateway.client.post("/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
