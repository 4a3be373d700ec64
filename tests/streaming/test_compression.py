"""gzip: for callers that take it, where it pays."""

from __future__ import annotations

import gzip

import httpx
import pytest

from adapters.simulation.faults import Fault
from tests.gateways import Gateway
from tests.streaming.reading import ask, users

LARGE = "/v1/connections?status=connected"
DOCUMENTS = [LARGE, "/openapi.json", "/docs/docs.js", "/metrics"]


async def get(gateway: Gateway, path: str, accept: str | None) -> httpx.Response:
    headers = {} if accept is None else {"Accept-Encoding": accept}
    request = gateway.client.build_request("GET", path)
    request.headers.pop("accept-encoding")
    request.headers.update(headers)
    return await gateway.client.send(request)


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_what_is_large_is_compressed(gateway: Gateway, path: str) -> None:
    packed, plain = await get(gateway, path, "gzip"), await get(gateway, path, None)
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert "Accept-Encoding" in packed.headers["vary"]
    assert "Accept-Encoding" in plain.headers["vary"]
    assert int(packed.headers["content-length"]) * 2 < int(plain.headers["content-length"])
    if path != "/metrics":
        assert len(packed.content) == len(plain.content)


@pytest.mark.parametrize(
    ("accept", "is_packed"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("br, gzip", True),
        ("gzip;q=0.5, br", True),
        ("gzip;q=0.001", True),
        ("x-gzip", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("deflate", False),
        ("notgzip", False),
        ("gzipped", False),
        ("identity", False),
        ("", False),
    ],
)
async def test_only_who_takes_gzip_gets_it(gateway: Gateway, accept: str, is_packed: bool) -> None:
    assert ("content-encoding" in (await get(gateway, LARGE, accept)).headers) is is_packed


@pytest.mark.parametrize("path", ["/v1/connections", "/v1/connections/acme/102", "/livez"])
async def test_what_is_small_is_sent_as_it_is(gateway: Gateway, path: str) -> None:
    assert "content-encoding" not in (await get(gateway, path, "gzip")).headers


async def test_a_lookup_of_many_is_compressed(gateway: Gateway) -> None:
    body = users(*(f"acme/{user}" for user in range(1000, 1100)))
    answer = await gateway.client.post("/v1/lookup", content=body, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.json()["results"]) == 100


async def test_each_part_of_lines_can_be_unpacked_when_it_comes(gateway: Gateway) -> None:
    """A caller sees the first line before the second is known."""
    gateway.acme.misbehave(Fault(delay=0.05))
    unpacked = []

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.body":
            packed = bytes(message["body"])  # type: ignore[call-overload]
            unpacked.append(decompressor.decompress(packed))

    decompressor = gzip.zlib.decompressobj(16 + gzip.zlib.MAX_WBITS)  # type: ignore[attr-defined]
    await ask(gateway, "/v1/lookup", users("acme/101", "club/101"), send, **{"Accept-Encoding": "gzip"})
    assert b'"platform":"club"' in unpacked[0]
    assert unpacked[0].endswith(b"}\n")
    assert b'"platform":"acme"' in b"".join(unpacked[1:])


async def test_a_tag_is_the_same_compressed_or_not(gateway: Gateway) -> None:
    packed, plain = await get(gateway, LARGE, "gzip"), await get(gateway, LARGE, None)
    assert packed.headers["etag"] == plain.headers["etag"]
    same = await gateway.client.get(LARGE, headers={"If-None-Match": packed.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
