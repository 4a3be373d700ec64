"""`docs/clients/javascript.md` is true: its lines of integrity, its tables and its configurations."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from gateway.pages import client
from tests.clients.guide import EXAMPLE, PAGE, fenced, own_token, proxied
from tests.clients.test_javascript import CLIENT
from tests.docs.pages import PAGES, rows, section
from tests.docs.test_page import NGINX

APP = "https://app.example.com"
CONNECTION = "/v1/connections/acme"
CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}


def test_the_integrity_lines_are_those_of_this_version() -> None:
    address = f"{EXAMPLE}/client-{client.version()}"
    files = client.files()
    (lines,) = fenced("html", section(PAGE, "## Content security"))
    assert lines == (
        f'<link rel="modulepreload" href="{address}/gateway.js" crossorigin\n'
        f'      integrity="{files["gateway.js"].integrity}">\n'
        f'<script type="module" src="{address}/element.js" crossorigin\n'
        f'        integrity="{files["element.js"].integrity}"></script>\n'
    )


def test_its_tables_name_what_there_is() -> None:
    element, methods = section(PAGE, "## The element"), section(PAGE, "## The API for code")
    code = (CLIENT / "element.js").read_text()
    first = [re.findall(r"`([\w-]+)", row[0]) for row in rows(element)]
    assert {name for names in first for name in names} == {
        *re.findall(r'getAttribute\("([\w-]+)"\)', code),
        *re.findall(r'"(connection-(?:change|problem))"', code),
        *("connection", "gateway"),
    }
    assert set(re.findall(r"`(--[\w-]+)`", element)) == set(re.findall(r"var\((--[\w-]+)", code))
    named = {name for row in rows(methods) for name in re.findall(r"`(\w+)\(", row[0])}
    public = set(re.findall(r"^  (?:async )?\*?(\w+)\(.*\) \{$", (CLIENT / "gateway.js").read_text(), re.MULTILINE))
    assert named == public - {"constructor"}


def test_its_examples_are_files_of_the_package() -> None:
    included = re.findall(r'^--8<-- "(.*)"$', PAGES[PAGE], re.MULTILINE)
    assert {Path(each).name for each in included} == {"cards.js", "react.tsx", "token.js"}


async def test_the_viewers_own_token_is_passed_on(tmp_path: Path) -> None:
    async with own_token(tmp_path) as url, httpx.AsyncClient(base_url=url) as page:
        of_the_app = {"Origin": APP, **CROSS_SITE}
        answer = await page.get(f"{CONNECTION}/103", headers={**of_the_app, "X-Platform-Token": "acme=demo"})
        assert (answer.json()["status"], answer.headers["access-control-allow-origin"]) == ("pending_outgoing", APP)
        assert await slug(page, f"{CONNECTION}/103", **of_the_app) == "missing-credential"
        other = {"Origin": "https://other.example.com", **CROSS_SITE}
        assert await slug(page, f"{CONNECTION}/103", **other, X_Platform_Token="acme=demo") == "not-allowed"


@pytest.mark.skipif(not NGINX, reason="there is no nginx")
async def test_a_proxy_says_who_the_viewer_is(tmp_path: Path, port: int) -> None:
    async with proxied(tmp_path, port) as url, httpx.AsyncClient(base_url=f"{url}/gateway") as page:
        assert (await page.get(f"{CONNECTION}/1")).status_code == 401, "nobody is signed in"
        page.cookies.set("viewer", "102")
        claimed = {"X-On-Behalf-Of": "acme=101", "X-API-Key": "another", "X-Platform-Token": "acme=demo"}
        for headers in ({}, claimed):
            answer = await page.get(f"{CONNECTION}/1", headers={"Sec-Fetch-Site": "same-origin", **headers})
            assert answer.json()["status"] == "pending_outgoing", "102 has asked 1"
        assert await slug(page, f"{CONNECTION}/1", Origin="https://other.example.com", **CROSS_SITE) == "not-allowed"


async def slug(page: httpx.AsyncClient, path: str, **headers: str) -> str:
    answer = await page.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return str(answer.json()["type"]).removeprefix("/problems/")
