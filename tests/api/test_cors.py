"""`cors_origins`: pages of these origins may call, and browsers are told so."""

from __future__ import annotations

import httpx
import pytest

from gateway.config.converter import from_tables
from gateway.config.settings import ConfigurationError
from tests.gateways import OWN, running, tables
from tests.protocol.lines import GET, line

PAGE = "https://www.example.com"
OTHER = "https://evil.example"
ASKED = "/v1/connections/acme/103"


def listed(answer: httpx.Response, name: str) -> set[str]:
    return {each.strip().lower() for each in answer.headers[name].split(",")}


async def test_a_page_of_a_named_origin_reads_the_answer() -> None:
    async with running(cors_origins=[PAGE]) as gateway:
        answer = await gateway.client.get(ASKED, headers={"Origin": PAGE, "Sec-Fetch-Site": "cross-site"})
    assert answer.json()["user_id"] == "103"
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "access-control-allow-credentials" not in answer.headers
    assert "origin" in listed(answer, "vary")
    assert {"x-request-id", "age", "cache-status", "retry-after"} <= listed(answer, "access-control-expose-headers")


async def test_a_page_of_a_named_origin_reads_the_answer_on_the_wire() -> None:
    async with line(cors_origins=[PAGE]) as it:
        it.writer.write((GET % 103)[:-2] + f"Origin: {PAGE}\r\n\r\n".encode())
        head, body = await it.answer()
        assert f"\r\naccess-control-allow-origin: {PAGE}\r\n".encode() in head
        assert b'"user_id":"103"' in body


async def test_a_page_of_a_named_origin_reads_problems() -> None:
    async with running(cors_origins=[PAGE]) as gateway:
        answer = await gateway.client.get("/v1/connections/nobody/103", headers={"Origin": PAGE})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (404, PAGE)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_browser_may_ask_first(method: str) -> None:
    wanted = "x-api-key, sessiontoken, authorization, x-platform-token, x-on-behalf-of, cache-control, traceparent"
    headers = {"Origin": PAGE, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": wanted}
    async with running(cors_origins=[PAGE]) as gateway:
        answer = await gateway.client.options(ASKED, headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert method.lower() in listed(answer, "access-control-allow-methods")
    assert {each.strip() for each in wanted.split(",")} <= listed(answer, "access-control-allow-headers")


async def test_a_page_of_another_origin_gets_nothing() -> None:
    async with running(cors_origins=[PAGE]) as gateway:
        asked = await gateway.client.get(ASKED, headers={"Origin": OTHER})
        first = await gateway.client.options(ASKED, headers={"Origin": OTHER, "Access-Control-Request-Method": "GET"})
        without = await gateway.client.get(ASKED, headers={"Sec-Fetch-Site": "cross-site"})
    assert asked.status_code == 403
    assert (first.status_code, first.json()["type"]) == (403, "/problems/not-allowed")
    assert without.status_code == 403
    assert not any("access-control-allow-origin" in each.headers for each in (asked, first, without))


async def test_whoever_wants_more_than_may_be_sent_hears_what_may_be() -> None:
    wanted = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "x-other"}
    async with running(cors_origins=[PAGE]) as gateway:
        answer = await gateway.client.options(ASKED, headers={"Origin": PAGE, **wanted})
    assert answer.status_code == 204
    assert "delete" not in listed(answer, "access-control-allow-methods")
    assert "x-other" not in listed(answer, "access-control-allow-headers")


async def test_without_origins_nothing_is_said_of_them() -> None:
    async with running() as gateway:
        answer = await gateway.client.get(ASKED)
        first = await gateway.client.options(ASKED, headers={"Origin": PAGE, "Access-Control-Request-Method": "GET"})
    assert not any(name.startswith("access-control") for name in (*answer.headers, *first.headers))


@pytest.mark.parametrize(
    "origin",
    [
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
        "http://tauri.localhost",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        "moz-extension://8c3a5b1e-0f7d-4f5e-9a51-2b1f0c6d7e8f",
        "safari-web-extension://8C3A5B1E-0F7D-4F5E-9A51-2B1F0C6D7E8F",
        "app://.",
        "app.example+x://my_app:8080",
        "file://",
        "https://[2001:db8::1]:8443",
    ],
)
async def test_the_page_of_an_app_may_call(origin: str) -> None:
    other = f"{origin}x"
    first = {"Access-Control-Request-Method": "GET"}
    async with running(cors_origins=[origin]) as gateway:
        answer = await gateway.client.get(ASKED, headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})
        asked = await gateway.client.options(ASKED, headers={"Origin": origin, **first})
        refused = await gateway.client.get(ASKED, headers={"Origin": other, "Sec-Fetch-Site": "cross-site"})
    assert answer.json()["user_id"] == "103"
    assert asked.status_code == 204
    assert {each.headers["access-control-allow-origin"] for each in (answer, asked)} == {origin}
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-allowed")


@pytest.mark.parametrize(
    "origin",
    [
        *["*", "null", "www.example.com", "https://", f"{PAGE}/", f"{PAGE}:443", "HTTPS://x", "ftp://x", f"{PAGE}:x"],
        *["http://Example.com", "http://x:80", "capacitor://", "capacitor://*", "https://*.example.com", "://x"],
        *["capacitor://localhost/", "Capacitor://localhost", "file:///x", "file://x", "ws://x", "app://a b", "app:a"],
        *["capacitor://localhost\n", "1app://x", "app://u@x", "app://x:123456", ""],
    ],
)
def test_what_is_no_origin_stops_the_start(origin: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"server\.cors_origins\[0\]: expected an origin as browsers send it"
    ):
        from_tables(tables(OWN, {"cors_origins": [origin]}))
