"""Calls of the whole API that nobody would think of: none is a 500, and each error is a problem."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final, TypeVar

import httpx
import msgspec
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from gateway.problems.problem import Kind
from tests.gateways import Gateway, running

T = TypeVar("T")
SLUGS: Final = {f"/problems/{kind.slug}": kind.status for kind in Kind}
HEADERS: Final = (
    *(
        "X-On-Behalf-Of",
        "Cache-Control",
        "Origin",
        "X-Request-Timeout-Ms",
        "X-Request-Id",
        "traceparent",
        "Sec-Fetch-Site",
        "Host",
        "Content-Type",
        "Accept",
    ),
)
SECRETS: Final = ("X-API-Key", "sessionToken", "Authorization", "X-Platform-Token")
TOKENS: Final = ("demo", "Bearer demo", "acme=demo", "acme=demo, club=demo", "acme=", "club=x,club=y", "=", ",", "")
VALUES: Final = (
    *(
        "demo",
        "Bearer demo",
        "acme=demo",
        "acme=demo, club=demo",
        "acme=",
        "=",
        ",",
        "1",
        "0",
        "-1",
        "101",
        "no-cache",
    ),
    *(
        "max-age=0",
        "max-age=x",
        "50",
        "1e9",
        "localhost",
        "http://localhost",
        "null",
        "cross-site",
        "application/json",
    ),
)
PARTS: Final = (
    "v1",
    "connections",
    "acme",
    "club",
    "lookup",
    "platforms",
    "accept",
    "request",
    "livez",
    "metrics",
    "..",
    "",
)
WORDS: Final = (
    "platform",
    "status",
    "user_id",
    "limit",
    "cursor",
    "all",
    "none",
    "connected",
    "acme",
    "club",
    "1",
    "0",
    "x",
)
text = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#?"), max_size=20)
header_text = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40)


def mostly(good: st.SearchStrategy[T], bad: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Three times out of four, or hardly any call would be good in all its parts."""
    return st.integers(0, 3).flatmap(lambda place: good if place else bad)


odd_ids = st.sampled_from(("0", "-1", "1" * 19, "9" * 19, "9" * 20, "0101", "1.5", "")) | text
user_ids = mostly(st.sampled_from(("101", "102", "103", "104", "105", "1", "1234567")), odd_ids)
platforms = mostly(st.sampled_from(("acme", "club")), st.sampled_from(("nobody", "ACME")) | text)
actions = mostly(st.sampled_from(("request", "accept", "reject", "cancel", "remove")), st.just("block") | text)
odd_queries = st.lists(st.tuples(st.sampled_from(WORDS) | text, st.sampled_from(WORDS) | text), max_size=5)
paths = (
    st.builds("/v1/connections/{}/{}".format, platforms, user_ids)
    | st.builds("/v1/connections/{}/{}/{}".format, platforms, user_ids, actions)
    | st.sampled_from(("/v1/connections", "/v1/lookup", "/v1/platforms", "/livez", "/readyz", "/metrics", "/"))
    | st.lists(st.sampled_from(PARTS) | text, max_size=6).map(lambda parts: "/" + "/".join(parts))
)
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | user_ids,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(("users", *WORDS)) | text, inner, max_size=4)
    ),
    max_leaves=10,
)
targets = st.fixed_dictionaries({"platform": platforms, "user_id": user_ids})
odd_bodies = (
    st.binary(max_size=100)
    | json.map(msgspec.json.encode)
    | st.lists(targets, max_size=10).map(lambda users: msgspec.json.encode({"users": users}))
)
bodies = mostly(st.just(b""), odd_bodies)
queries = mostly(st.just([]), odd_queries)
secrets = st.tuples(st.sampled_from(SECRETS), st.sampled_from(TOKENS) | st.text("0123456789Ä ~", max_size=40))
others = st.tuples(st.sampled_from(HEADERS), st.sampled_from(VALUES) | header_text)
odd_headers = st.lists(secrets | others, max_size=5)
headers = mostly(st.just([]), odd_headers)
methods = mostly(st.sampled_from(("GET", "POST")), st.sampled_from(("PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")))


def try_all(cases: int, number: int = 0) -> Counter[int]:
    """How often each status was the answer. An AssertionError names the call that was answered as none may be."""
    statuses: Counter[int] = Counter()
    loop = asyncio.new_event_loop()
    context = running()
    gateway: Gateway = loop.run_until_complete(context.__aenter__())

    @seed(number)
    @settings(
        max_examples=cases,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(methods, paths, queries, headers, bodies)
    def one(method: str, path: str, query: list[tuple[str, str]], sent: list[tuple[str, str]], body: bytes) -> None:
        answer = loop.run_until_complete(_ask(gateway, method, path, query, sent, body))
        statuses[answer.status_code] += 1
        _check(method, answer)

    try:
        one()
    finally:
        loop.run_until_complete(context.__aexit__(None, None, None))
        loop.close()
    return statuses


async def _ask(
    gateway: Gateway, method: str, path: str, query: list[tuple[str, str]], sent: list[tuple[str, str]], body: bytes
) -> httpx.Response:
    given_headers = [(name.encode(), value.strip().encode("latin-1")) for name, value in sent]
    url = httpx.URL("http://localhost:8080").copy_with(raw_path=path.encode())
    request = httpx.Request(
        method, url.copy_merge_params(dict(query)) if query else url, headers=given_headers, content=body
    )
    return await gateway.client.send(request)


def _check(method: str, answer: httpx.Response) -> None:
    assert answer.status_code != 500, answer.text
    assert "x-request-id" in answer.headers
    if answer.is_error and method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = answer.json()
        assert SLUGS[problem["type"]] == answer.status_code == problem["status"]
        assert problem["instance"] == answer.headers["x-request-id"]
        assert problem["title"]
        assert problem["detail"]
