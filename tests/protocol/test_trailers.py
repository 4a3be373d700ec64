"""Trailers name nobody: neither the caller, nor the viewer, nor a platform's credential (RFC 9110, 6.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.gateways import CALLERS, NAMED, OWN, caller, key_of, running
from tests.protocol.corpus import HOST, USERS, chunked
from tests.protocol.cuts import all_cuts
from tests.protocol.driver import Driver

KEY = b"X-API-Key: " + key_of("web").encode() + b"\r\n"
VIEWER = b"X-On-Behalf-Of: 1\r\n"
POLICY: dict[str, Any] = {"may": ["read", "act"], "on_behalf_of": ["*"]}
ACTION = b"POST /v1/connections/acme/102/accept HTTP/1.1\r\n" + HOST
IDENTITIES: list[tuple[str, Mapping[str, Mapping[str, Any]], bytes, bytes]] = [
    ("the caller", OWN, b"", KEY),
    ("the viewer", NAMED, KEY, VIEWER),
    ("the viewer of a platform", NAMED, KEY, b"X-On-Behalf-Of: acme=1\r\n"),
    ("a session", CALLERS, KEY, b"sessionToken: demo\r\n"),
    ("a token", CALLERS, KEY, b"X-Platform-Token: acme=demo\r\n"),
    ("all at once", NAMED, b"", KEY + VIEWER),
]


def action(heads: bytes, trailers: bytes) -> bytes:
    return ACTION + heads + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + trailers + b"\r\n"


def lookup(heads: bytes, trailers: bytes) -> bytes:
    return chunked(USERS, heads, trailers=trailers, key=b"")


@pytest.mark.parametrize("request_of", [action, lookup])
@pytest.mark.parametrize(("credentials", "heads", "identity"), [each[1:] for each in IDENTITIES], ids=[each[0] for each in IDENTITIES])  # fmt: skip
async def test_who_is_named_in_a_trailer_is_nobody(
    credentials: Mapping[str, Mapping[str, Any]], heads: bytes, identity: bytes, request_of: Any
) -> None:
    """However the bytes were cut. Without its trailer the request is answered the same."""
    async with running(credentials, [caller("web", **POLICY)]) as gateway:
        driver = Driver(gateway)
        bare, _ = await driver.send([request_of(heads, b"")], shuts_down=False)
        for name, pieces in all_cuts(request_of(heads, identity)):
            answer, goes_on = await driver.send(pieces, shuts_down=False)
            assert goes_on, name
            assert answer.count(b"HTTP/1.1 ") == 1, name
            assert _status(answer) == _status(bare), name
            assert _problem(answer) == _problem(bare) != b"", name
        assert gateway.calls == 0
        assert gateway.acme.platform.connection(1, 102) == "PENDING_INCOMING"


@pytest.mark.parametrize(("credentials", "heads", "identity"), [each[1:] for each in IDENTITIES], ids=[each[0] for each in IDENTITIES])  # fmt: skip
async def test_the_same_lines_in_the_head_name_somebody(
    credentials: Mapping[str, Mapping[str, Any]], heads: bytes, identity: bytes
) -> None:
    """Otherwise the test above would be about nothing."""
    async with running(credentials, [caller("web", **POLICY)]) as gateway:
        answer = await Driver(gateway).answer(action(heads + identity, b""))
        assert _status(answer) == b"200"
        assert gateway.acme.platform.connection(1, 102) == "ACCEPTED"


async def test_a_viewer_in_a_trailer_is_not_another_one() -> None:
    """The head names 1 and the trailer 5: it is 1 whose request of 102 is accepted."""
    async with running(NAMED, [caller("web", **POLICY)]) as gateway:
        answer = await Driver(gateway).answer(action(KEY + VIEWER, b"X-On-Behalf-Of: 5\r\n"))
        assert _status(answer) == b"200"
        assert gateway.acme.platform.connection(1, 102) == "ACCEPTED"


def _status(answer: bytes) -> bytes:
    return answer.split(b" ", 2)[1]


def _problem(answer: bytes) -> bytes:
    return answer.partition(b'"type":"/problems/')[2].partition(b'"')[0]
