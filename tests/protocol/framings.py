"""More ways to say where a request ends, right and wrong ones: in heads, in chunks, in trailers, beside upgrades."""

from __future__ import annotations

from collections.abc import Iterator

from tests.protocol.corpus import HOST, KEY, PROBE, UPGRADES, USERS, Case, chunked, post
from tests.protocol.malformed import ACTION, HIDDEN, headers
from tests.protocol.malformed import chunks as broken_chunks

ACTION_WITH_KEY = HIDDEN.replace(b"\r\n\r\n", b"\r\n" + KEY + b"\r\n")
LOOKUP = b"POST /v1/lookup HTTP/1.1\r\n" + HOST + KEY
CODED = b"Transfer-Encoding: chunked\r\n\r\n"


def framings() -> Iterator[Case]:
    """All of them."""
    yield from lengths()
    yield from ends()
    yield from bad_trailers()
    yield from upgrades_with_broken_bodies()
    yield from connections()


def lengths() -> Iterator[Case]:
    """As many digits as there are zeros in front, and nothing else that some reader takes for a number."""
    for value in (b"047", b"0000000000047"):
        yield Case(
            f"length {value!r}", LOOKUP + b"Content-Length: " + value + b"\r\n\r\n" + USERS + PROBE, (200, 200)
        )
    for value in (b"+47", b"-47", b"4_7", b"0x2f", b"47.", b"47,47", b"\xb4\xb7", b"47;", b"'47'", b"0" * 30 + b"47"):
        head = LOOKUP + b"Content-Length: " + value + b"\r\n\r\n"
        yield Case(f"length {value!r}", head + USERS + ACTION_WITH_KEY, None)


def ends() -> Iterator[Case]:
    """Chunks, a last chunk, or trailers that end with anything but CR LF."""
    size, whole = b"%x" % len(USERS), USERS
    for end in (b"\n", b"\r", b"\r\r\n", b"\n\r\n", b" \r\n", b"\x0b\r\n", b"\x00\r\n", b"x\r\n", b"\xc2\x85"):
        for where, body in (
            ("a size", size + end + whole + b"\r\n0\r\n\r\n"),
            ("a chunk", size + b"\r\n" + whole + end + b"0\r\n\r\n"),
            ("the last chunk", size + b"\r\n" + whole + b"\r\n0" + end + b"\r\n"),
            ("a trailer", size + b"\r\n" + whole + b"\r\n0\r\nX" + end + b"\r\n"),
            ("all trailers", size + b"\r\n" + whole + b"\r\n0\r\nX: y\r\n" + end + b"\r\n"),
        ):
            yield Case(f"{where} that ends with {end!r}", LOOKUP + CODED + body + ACTION_WITH_KEY, None)


def bad_trailers() -> Iterator[Case]:
    """Every line that is no header is no trailer."""
    for name, sent in headers():
        if name.startswith("header "):
            line = sent[len(ACTION) : -len(b"\r\n")]
            yield Case(f"trailer: {name}", chunked(USERS, trailers=line) + ACTION_WITH_KEY, None)


def upgrades_with_broken_bodies() -> Iterator[Case]:
    """An offer to upgrade makes no broken body whole."""
    for offer_name, offer in UPGRADES.items():
        for name, sent in broken_chunks():
            yield Case(f"{offer_name}: {name}", sent.replace(b"\r\n", b"\r\n" + KEY + offer, 1), None)


def connections() -> Iterator[Case]:
    """Whether a connection goes on is the head's to say, and HTTP/1.0 never goes on."""
    get = b"GET /livez HTTP/1.%d\r\n" + HOST
    for value, statuses in ((b"close", (200,)), (b"keep-alive, close", (200,)), (b"keep-alive", (200, 200))):
        yield Case(f"Connection: {value!r}", get % 1 + b"Connection: " + value + b"\r\n\r\n" + PROBE, statuses)
        yield Case(f"1.0, Connection: {value!r}", get % 0 + b"Connection: " + value + b"\r\n\r\n" + PROBE, (200,))
    yield Case("nothing behind close", post(USERS, b"Connection: close\r\n") + ACTION_WITH_KEY, (200,))
    yield Case("chunks in HTTP/1.0", chunked(USERS).replace(b"HTTP/1.1", b"HTTP/1.0") + ACTION_WITH_KEY, None)
