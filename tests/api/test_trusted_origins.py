"""A page of another origin can neither read nor act, and a rebound name gets nothing."""

from __future__ import annotations

import pytest

from tests.gateways import Gateway, running

PATHS = ["/v1/connections/acme/101", "/v1/platforms", "/docs", "/nowhere"]
PROBES = ["/livez", "/readyz", "/metrics"]
OURS = ["localhost", "LOCALHOST", "localhost:8080", "127.0.0.1", "127.0.0.1:1", "127.1.2.3", "[::1]", "[::1]:8080"]
NOT_OURS = [
    *["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:8080", "0.0.0.0", "[::]"],
    *["192.168.0.1", "10.0.0.1:8080", "[fe80::1]", "localhost."],
]
MALFORMED = [
    "",
    " ",
    "a b",
    "localhost:",
    "localhost:abc",
    "localhost:123456",
    "user@localhost",
    "localhost/",
    "[::1",
]


@pytest.mark.parametrize("host", OURS)
async def test_a_loopback_name_is_answered(gateway: Gateway, host: str) -> None:
    answer = await gateway.client.get("/v1/connections/acme/101", headers={"Host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", NOT_OURS)
async def test_any_other_name_gets_nothing(gateway: Gateway, host: str, path: str) -> None:
    answer = await gateway.client.get(path, headers={"Host": host})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-allowed")
    assert gateway.calls == 0


@pytest.mark.parametrize("path", PROBES)
@pytest.mark.parametrize("host", NOT_OURS)
async def test_probes_are_answered_by_any_name(gateway: Gateway, host: str, path: str) -> None:
    """Kubernetes and Prometheus ask by address."""
    assert (await gateway.client.get(path, headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", MALFORMED)
async def test_what_is_no_host_is_refused(gateway: Gateway, host: str) -> None:
    answer = await gateway.client.get("/livez", headers={"Host": host})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")


async def test_two_hosts_are_refused(gateway: Gateway) -> None:
    answer = await gateway.client.get("/livez", headers=[("Host", "localhost"), ("Host", "localhost")])
    assert answer.status_code == 400


async def test_names_in_the_configuration_are_answered() -> None:
    async with running(hosts=["Gateway.Example", "10.0.0.1", "fe80::1"]) as gateway:
        for host in ("gateway.example", "GATEWAY.example:8080", "10.0.0.1", "[fe80::1]:8080"):
            assert (await gateway.client.get("/v1/platforms", headers={"Host": host})).status_code == 200
        assert (await gateway.client.get("/v1/platforms", headers={"Host": "other.example"})).status_code == 403


@pytest.mark.parametrize("path", ["/v1/connections/acme/101", "/v1/platforms", "/v1/nowhere"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "origin",
    [
        *["http://evil.example", "https://localhost", "http://localhost", "http://localhost:3000", "null", "", "x"],
        *["http://127.0.0.1:8080", "http://localhost:8080.evil.example", "http://localhost:8080/", "file://"],
    ],
)
async def test_a_page_of_another_origin_gets_nothing(gateway: Gateway, origin: str, method: str, path: str) -> None:
    answer = await gateway.client.request(method, path, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-allowed")
    assert "access-control-allow-origin" not in answer.headers
    assert gateway.calls == 0


async def test_one_foreign_origin_among_two_is_enough(gateway: Gateway) -> None:
    origins = [("Origin", "http://localhost:8080"), ("Origin", "http://evil.example")]
    assert (await gateway.client.get("/v1/platforms", headers=origins)).status_code == 403


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("localhost", "http://localhost"),
        ("localhost", "http://localhost:80"),
        ("localhost:443", "https://localhost"),
        ("localhost", "https://localhost"),  # TLS ends at a proxy in front
        ("[::1]:8080", "http://[::1]:8080"),
    ],
)
async def test_the_gateways_own_page_is_answered(gateway: Gateway, host: str, origin: str) -> None:
    answer = await gateway.client.get("/v1/connections/acme/101", headers={"Host": host, "Origin": origin})
    assert answer.status_code == 200


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-origin", 200), ("none", 200)])
async def test_a_cross_site_fetch_without_an_origin_gets_nothing(gateway: Gateway, site: str, status: int) -> None:
    answer = await gateway.client.get("/v1/connections/acme/101", headers={"Sec-Fetch-Site": site})
    assert answer.status_code == status


async def test_probes_are_no_business_of_origins(gateway: Gateway) -> None:
    assert (await gateway.client.get("/readyz", headers={"Origin": "http://evil.example"})).status_code == 200


SAME = {"Origin": "http://localhost:5173", "Sec-Fetch-Site": "same-origin", "Host": "localhost:8080"}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_proxy_may_rewrite_the_host_of_a_page_of_its_own(gateway: Gateway, method: str) -> None:
    """As nginx does unless it is told otherwise, and servers for development."""
    path = "/v1/connections/acme/101" if method == "GET" else "/v1/connections/acme/102/accept"
    assert (await gateway.client.request(method, path, headers=SAME)).status_code == 200


@pytest.mark.parametrize(
    "sites",
    [
        *(["same-site"], ["none"], ["cross-site"], ["Cross-Site"], ["cross-site;x=1"], ["same-origin, cross-site"]),
        *(
            ["same-origin", "cross-site"],
            ["cross-site", "same-origin"],
            ["none, cross-site"],
            ["same-origin-not"],
            [""],
        ),
        *(["same-origin", "same-site"], ["\t cross-site"], ["x"], []),
    ],
)
async def test_any_other_word_lets_no_page_of_another_origin_in(gateway: Gateway, sites: list[str]) -> None:
    headers = [("Origin", SAME["Origin"]), ("Host", SAME["Host"]), *(("Sec-Fetch-Site", site) for site in sites)]
    answer = await gateway.client.post("/v1/connections/acme/102/accept", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-allowed")
    assert gateway.calls == 0


async def test_a_rebound_page_is_not_let_in_by_what_its_browser_says(gateway: Gateway) -> None:
    """To the browser it is the same origin; to an open gateway its name is not ours."""
    rebound = {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin", "Host": "evil.example"}
    answer = await gateway.client.post("/v1/connections/acme/102/accept", headers=rebound)
    assert (answer.status_code, gateway.calls) == (403, 0)


@pytest.mark.parametrize("host", ["gateway", "evil.example", "localhost"])
async def test_over_a_unix_socket_any_host_is_answered(host: str) -> None:
    async with running(socket="/run/gateway.sock") as gateway:
        answer = await gateway.client.get("/v1/connections/acme/101", headers={"Host": host})
        assert answer.status_code == 200
        malformed = await gateway.client.get("/v1/connections/acme/101", headers={"Host": "a b"})
        assert malformed.status_code == 400
