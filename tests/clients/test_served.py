"""The JavaScript client as the gateway serves it: for pages of any origin, and never another file than the package's."""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from gateway.pages import client
from tests.clients.test_javascript import CLIENT
from tests.docs.pages import ROOT, output
from tests.gateways import CALLERS, Gateway, caller, running

PAGE = "https://app.example.com"
LARGEST = 6 * 1024
"""Bytes after gzip."""
NAMES = ["element.js", "gateway.js", "watch.js"]
each_file = pytest.mark.parametrize("name", NAMES)


@each_file
async def test_a_page_of_any_origin_may_load_it(gateway: Gateway, name: str) -> None:
    headers = {"Origin": PAGE, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    answer = await gateway.client.get(f"/client/{name}", headers=headers)
    assert (answer.status_code, answer.content) == (200, (CLIENT / name).read_bytes())
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"


@each_file
async def test_a_copy_is_revalidated(gateway: Gateway, name: str) -> None:
    etag = (await gateway.client.get(f"/client/{name}")).headers["etag"]
    for known in (etag, f'"other", {etag}', "*"):
        answer = await gateway.client.get(f"/client/{name}", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
        assert answer.headers["access-control-allow-origin"] == "*"
    assert (await gateway.client.get(f"/client/{name}", headers={"If-None-Match": '"other"'})).status_code == 200


@each_file
async def test_an_immutable_address_has_one_content_for_ever(gateway: Gateway, name: str) -> None:
    answer = await gateway.client.get(f"/client-{client.version()}/{name}", headers={"Origin": PAGE})
    assert (answer.status_code, answer.content) == (200, (CLIENT / name).read_bytes())
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    for version in ("0" * 16, client.version()[:-1]):
        assert (await gateway.client.get(f"/client-{version}/{name}")).status_code == 404


@each_file
def test_its_integrity_is_that_of_its_content(name: str) -> None:
    digest = base64.b64encode(hashlib.sha384((CLIENT / name).read_bytes()).digest()).decode()
    assert client.files()[name].integrity == f"sha384-{digest}"


@pytest.mark.parametrize("path", ["/client/package.json", "/client/", f"/client-{client.version()}/react.js"])
async def test_nothing_else_is_served(gateway: Gateway, path: str) -> None:
    assert (await gateway.client.get(path)).status_code == 404


async def test_a_page_loads_at_most_six_kilobytes(gateway: Gateway) -> None:
    sizes = {}
    for name in NAMES:
        packed = await gateway.client.get(f"/client/{name}", headers={"Accept-Encoding": "gzip"})
        plain = await gateway.client.get(f"/client/{name}", headers={"Accept-Encoding": "gzip;q=0"})
        assert (packed.headers["content-encoding"], "content-encoding" in plain.headers) == ("gzip", False)
        assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        assert packed.content == plain.content
        sizes[name] = int(packed.headers["content-length"])
    assert sizes["element.js"] + sizes["gateway.js"] <= LARGEST, sizes


async def test_a_file_needs_no_key_and_stands_beside_cors_for_the_api() -> None:
    async with running(CALLERS, [caller("web")], cors_origins=[PAGE]) as gateway:
        for origin, allowed in ((PAGE, {PAGE, "*"}), ("https://other.example.com", {"*"})):
            answer = await gateway.client.get("/client/element.js", headers={"Origin": origin})
            assert answer.status_code == 200
            assert answer.headers["access-control-allow-origin"] in allowed


async def test_the_wheel_contains_the_same_files(tmp_path: Path) -> None:
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    await output("env", "-C", str(ROOT), *build)
    assert packaged(tmp_path) == {name: (CLIENT / name).read_bytes() for name in NAMES}


def packaged(folder: Path) -> dict[str, bytes]:
    """The client's files in the wheel in this folder."""
    (wheel,) = folder.glob("*.whl")
    inside = "gateway/pages/client/"
    with zipfile.ZipFile(wheel) as files:
        return {name.removeprefix(inside): files.read(name) for name in files.namelist() if name.startswith(inside)}


def test_the_image_is_built_from_the_same_files() -> None:
    """Docker sees only what `.dockerignore` lets in."""
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!clients/javascript/{name}" for name in NAMES} <= set(let_in)
    assert "COPY clients/javascript clients/javascript" in (ROOT / "Dockerfile").read_text()
