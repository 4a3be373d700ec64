"""Requests as they go over a socket: well-formed ones, and ones in which a second request is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.gateways import key_of
from tests.protocol.malformed import HIDDEN, malformed

KEY = b"X-API-Key: " + key_of("web").encode() + b"\r\n"
HOST = b"Host: localhost\r\n"
PROBE = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"
USERS = b'{"users":[{"platform":"acme","user_id":"103"}]}'
UPGRADES = {
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    "websocket": b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    "tls": b"Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n",
    "only Upgrade": b"Upgrade: h2c\r\n",
    "only Connection": b"Connection: Upgrade\r\n",
    "both twice": b"Upgrade: h2c\r\nConnection: upgrade\r\nUpgrade: websocket\r\nConnection: upgrade\r\n",
}
TRAILERS = (
    KEY,
    b"X-API-Key: another\r\n",
    b"X-On-Behalf-Of: 5\r\n",
    b"sessionToken: demo\r\n",
    b"Authorization: Bearer demo\r\n",
    b"X-Platform-Token: acme=demo\r\n",
    b"Connection: close\r\n",
    b"Connection: upgrade\r\nUpgrade: h2c\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: evil.example\r\n",
    b"Expect: 100-continue\r\n",
    b"Content-Length: 44\r\nConnection: close\r\nX-API-Key: x\r\n",
    b"X: " + b"y" * 5000 + b"\r\n",
    b"x: y\r\n" * 100,
)
SPACES = (b" ", b"\t", b" \t ", b"\t\t")


class Case(NamedTuple):
    """What is sent on a connection, and the statuses of the answers; None: one at most, a 4xx."""

    name: str
    sent: bytes
    statuses: tuple[int, ...] | None
    before: int = 0
    """where there are no statuses: how many well-formed requests come first, each answered with 200"""

    def objection(self, statuses: tuple[int, ...]) -> str | None:
        """What is wrong with these statuses, if anything is."""
        if self.statuses is not None:
            return None if statuses == self.statuses else f"{statuses} instead of {self.statuses}"
        first, rest = statuses[: self.before], statuses[self.before :]
        is_right = first == (200,) * self.before and len(rest) <= 1 and all(400 <= each < 500 for each in rest)
        return None if is_right else f"{statuses}"


def cases() -> Iterator[Case]:
    """All of them. `KEY` is that of a caller who may act, so that whoever borrows it could."""
    yield from (Case(f"malformed: {name}", sent, None) for name, sent in malformed())
    yield from upgrades()
    yield from trailers()
    yield from chunks()
    yield from spaces()
    yield from expectations()


def post(body: bytes, *heads: bytes, version: bytes = b"1.1") -> bytes:
    """A lookup with this body, by its length."""
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST /v1/lookup HTTP/" + version + b"\r\n" + HOST + KEY + b"".join(heads) + length + b"\r\n" + body


def chunked(body: bytes, *heads: bytes, trailers: bytes = b"", key: bytes = KEY, size: int = 7) -> bytes:
    """The same in chunks of `size` bytes."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return (
        b"POST /v1/lookup HTTP/1.1\r\n"
        + HOST
        + key
        + b"".join(heads)
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
        + b"0\r\n"
        + trailers
        + b"\r\n"
    )


def upgrades() -> Iterator[Case]:
    """An offer to speak something else changes nothing: the body is the request's, and so is what it hides."""
    hidden = HIDDEN.replace(b"\r\n\r\n", b"\r\n" + KEY + b"\r\n")
    for name, offer in UPGRADES.items():
        yield Case(f"{name}, a length", post(USERS, offer) + PROBE, (200, 200))
        yield Case(f"{name}, hidden in a length", post(hidden, offer) + PROBE, (400, 200))
        yield Case(f"{name}, chunks", chunked(USERS, offer) + PROBE, (200, 200))
        yield Case(f"{name}, hidden in chunks", chunked(hidden, offer, size=500) + PROBE, (400, 200))
        get = b"GET /v1/connections/acme/103 HTTP/1.1\r\n" + HOST + KEY + offer
        yield Case(f"{name}, no body", get + b"\r\n" + PROBE, (200, 200))
        yield Case(f"{name}, a GET that hides", get + b"Content-Length: %d\r\n\r\n" % len(hidden) + hidden, (200,))
        yield Case(f"{name}, second of three", PROBE + post(hidden, offer) + PROBE, (200, 400, 200))
        yield Case(f"{name}, in HTTP/1.0", post(hidden, offer, version=b"1.0") + PROBE, (400,))
        expecting = post(USERS, offer, b"Expect: 100-continue\r\n")
        yield Case(f"{name}, and expects", expecting + PROBE, (100, 200, 200))
        yield Case(f"{name}, twice", post(USERS, offer, offer) + PROBE, (200, 200))
        yield Case(f"{name}, of a page", b"GET /docs HTTP/1.1\r\n" + HOST + offer + b"\r\n" + PROBE, (200, 200))
    for target in (b"localhost:80", b"localhost", b"/v1/lookup", b"http://localhost/", b"*"):
        head = b"CONNECT " + target + b" HTTP/1.1\r\n" + HOST
        yield Case(f"CONNECT {target!r}", head + b"\r\n" + hidden, None)
        yield Case(f"CONNECT {target!r}, a length", head + b"Content-Length: 5\r\n\r\n" + b"12345" + hidden, None)
    yield Case("PRI", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden, None)
    yield Case("PRI in HTTP/1.1", b"PRI * HTTP/1.1\r\n" + HOST + b"\r\nSM\r\n\r\n" + hidden, None)


def trailers() -> Iterator[Case]:
    """Trailers decide nothing: neither who asks, nor where the request ends, nor whether the connection goes on."""
    for number, trailer in enumerate(TRAILERS):
        name = f"trailer {number} {trailer[:30]!r}"
        yield Case(name, chunked(USERS, trailers=trailer) + PROBE, (200, 200))
        yield Case(f"{name}, no key", chunked(USERS, trailers=trailer, key=b"") + PROBE, (401, 200))
        yield Case(f"{name}, second", PROBE + chunked(USERS, trailers=trailer) + PROBE, (200, 200, 200))
        yield Case(f"{name}, nothing in chunks", chunked(b"", trailers=trailer) + PROBE, (400, 200))
    for trailer in (
        *(
            b"x: y\r\n" * 101,
            b"X: " + b"y" * 70_000 + b"\r\n",
            b"X : y\r\n",
            b" X: y\r\n",
            b"no colon\r\n",
            b": y\r\n",
        ),
        *(b"X: a\x00b\r\n", b"X: a\rb\r\n", b"X: a\x7fb\r\n", b"X: a\r\n b\r\n", b"X(: y\r\n", b"X\xff: y\r\n"),
    ):
        yield Case(f"bad trailer {trailer[:20]!r}", chunked(USERS, trailers=trailer) + HIDDEN, None)


def chunks() -> Iterator[Case]:
    """Chunks as they may be written."""
    head = chunked(b"")[: -len(b"0\r\n\r\n")]
    for extension in (b";a=b", b";a", b';a="b"', b";" + b"x" * 200, b"; a = b", b";a=\xff"):
        whole = b"%x" % len(USERS) + extension + b"\r\n" + USERS + b"\r\n0" + extension + b"\r\n\r\n"
        yield Case(f"extension {extension[:12]!r}", head + whole + PROBE, (200, 200))
    for size in (b"%X", b"0000%x", b"%x"):
        whole = size % len(USERS) + b"\r\n" + USERS + b"\r\n000\r\n\r\n"
        yield Case(f"size {size!r}", head + whole + PROBE, (200, 200))
    for extension in (b";" + b"x" * 70_000, b" ;a=b", b";a=\x01", b";a=\n"):
        yield Case(
            f"bad extension {extension[:12]!r}", head + b"1" + extension + b"\r\na\r\n0\r\n\r\n" + HIDDEN, None
        )
    yield Case("one byte each", chunked(USERS, size=1) + PROBE, (200, 200))


def spaces() -> Iterator[Case]:
    """White space around a value is no part of it (RFC 9110, 5.5)."""
    for space in SPACES:
        for name, value in ((b"X-API-Key", KEY[11:-2]), (b"Host", b"localhost"), (b"Content-Length", b"47")):
            field = name + b":" + space + value + space + b"\r\n"
            others = b"".join(each for each in (KEY, HOST, b"Content-Length: 47\r\n") if not each.startswith(name))
            head = b"POST /v1/lookup HTTP/1.1\r\n" + others + field + b"\r\n"
            yield Case(f"{space!r} around {name!r}", head + USERS + PROBE, (200, 200))
    for lines in (b"\r\n", b"\r\n\r\n"):
        yield Case(f"{lines!r} before a request", lines + PROBE + lines + PROBE, (200, 200))


def expectations() -> Iterator[Case]:
    """Whoever expects to be told to go on, and goes on."""
    expect = b"Expect: 100-continue\r\n"
    yield Case("expects, a length", post(USERS, expect) + PROBE, (100, 200, 200))
    yield Case("expects, chunks", chunked(USERS, expect) + PROBE, (100, 200, 200))
    yield Case("expects, in HTTP/1.0", post(USERS, expect, version=b"1.0"), (200,))
    hidden = post(HIDDEN, expect).replace(KEY, b"X-API-Key: unknown\r\n")
    yield Case("expects, and is refused", hidden + PROBE, (401,))
