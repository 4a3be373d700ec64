"""What no client should send: some three hundred requests, each of which may be answered once, and never with a 2xx.

Each is an action, or hides one: where two readers could disagree about where a request ends, the second of them would
see a request that nobody sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

STATUSES = re.compile(rb"(?:^|(?<=\}))HTTP/1\.1 (\d{3}) ")
"""Those of all answers on a connection, one right after the other."""
PATH = b"/v1/connections/acme/102/accept"
ACTION = b"POST " + PATH + b" HTTP/1.1\r\nHost: localhost\r\n"
HIDDEN = ACTION + b"\r\n"


def malformed() -> Iterator[tuple[str, bytes]]:
    """A name, and what is sent."""
    yield from lengths()
    yield from chunks()
    yield from lines()
    yield from headers()
    yield from hosts()
    yield from targets()


def lengths() -> Iterator[tuple[str, bytes]]:
    """Two lengths, or one that can be read in two ways."""
    for value in (
        *(b"-1", b"+5", b"0x5", b"5,5", b"5, 6", b"5;6", b"5.0", b"1e1", b"\xd9\xa5", b"5\x0b", b"5 5"),
        *(b"", b"abc", b"9" * 20, b"18446744073709551616", b"99999999999999999999999", b"0\x005", b"0\x0c", b'"5"'),
    ):
        yield f"length {value!r}", ACTION + b"Content-Length: " + value + b"\r\n\r\n" + HIDDEN
    for one, other in ((b"0", b"44"), (b"44", b"0"), (b"5", b"5"), (b"0", b"00"), (b"-0", b"0"), (b"0", b"x")):
        yield (
            f"lengths {one!r} and {other!r}",
            ACTION + b"Content-Length: " + one + b"\r\nContent-Length: " + other + b"\r\n\r\n" + HIDDEN,
        )
    for coding in (b"chunked", b"Chunked", b"identity", b"gzip, chunked", b"chunked, chunked", b"x"):
        for length in (b"0", b"4", b"44"):
            with_length = b"Content-Length: " + length + b"\r\n"
            coded = b"Transfer-Encoding: " + coding + b"\r\n"
            for order in (with_length + coded, coded + with_length):
                yield f"{order!r}", ACTION + order + b"\r\n0\r\n\r\n" + HIDDEN
    for coding in (
        *(
            b"chunked, identity",
            b"identity, chunked, gzip",
            b"gzip",
            b"xchunked",
            b"chunkedx",
            b"chunk",
            b"\x0bchunked",
        ),
        *(b"chunked;q=1", b'"chunked"', b"chunked,", b",chunked,x", b"identity", b"deflate", b"cow", b"ch\x00unked"),
    ):
        yield (
            f"coding {coding!r}",
            ACTION + b"Transfer-Encoding: " + coding + b"\r\n\r\n5\r\n12345\r\n0\r\n\r\n" + HIDDEN,
        )
    for name in (
        b"Transfer-Encoding ",
        b"Transfer-Encoding\t",
        b" Transfer-Encoding",
        b"Transfer-Encoding\x0b",
        b"Transfer Encoding",
    ):
        yield f"name {name!r}", ACTION + name + b": chunked\r\n\r\n0\r\n\r\n" + HIDDEN
    for name in (
        b"Content-Length ",
        b"Content-Length\t",
        b" Content-Length",
        b"Content Length",
        b"Content-Length\x00",
    ):
        yield f"name {name!r}", ACTION + name + b": 44\r\n\r\n" + HIDDEN
    twice = b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"
    yield "two codings", ACTION + twice + b"\r\n0\r\n\r\n" + HIDDEN


def chunks() -> Iterator[tuple[str, bytes]]:
    """Broken chunks on an action: it must not be done."""
    coded = ACTION + b"Transfer-Encoding: chunked\r\n\r\n"
    for body in (
        *(
            b"x\r\n\r\n",
            b"-1\r\n\r\n",
            b"0x0\r\n\r\n",
            b" 0\r\n\r\n",
            b"0 \r\r\n",
            b"g\r\n",
            b"\r\n",
            b"\n",
            b"\x00\r\n",
        ),
        *(
            b"1\r\nab\r\n0\r\n\r\n",
            b"2\r\na\r\n0\r\n\r\n",
            b"1\r\na0\r\n\r\n",
            b"1\ra\r\n0\r\n\r\n",
            b"1\r\na\r0\r\n\r\n",
        ),
        *(
            b"FFFFFFFFFFFFFFFF1\r\na\r\n",
            b"10000000000000000\r\na",
            b"fffffffffffffffff\r\n",
            b"1;\x00\r\na\r\n0\r\n\r\n",
        ),
        *(
            b"0\r\nX : y\r\n\r\n",
            b"0\r\n X: y\r\n\r\n",
            b"0\r\nX\x00: y\r\n\r\n",
            b"0\r\nno colon\r\n\r\n",
            b"0\r\n\x00\r\n\r\n",
        ),
        *(
            b"1 1\r\na\r\n0\r\n\r\n",
            b"+1\r\na\r\n0\r\n\r\n",
            b"1\r\n\r\n",
            b"5\r\n12345",
            b"5\r\n12",
            b"1\x0b\r\na\r\n0\r\n\r\n",
        ),
        *(b"0;\r\r\n\r\n", b"1;a=\x01\r\na\r\n0\r\n\r\n", b"z\r\n0\r\n\r\n", b"\xb2\r\nab\r\n0\r\n\r\n", b"0\r\n"),
    ):
        yield f"chunks {body!r}", coded + body + HIDDEN if not _is_cut_off(body) else coded + body


def _is_cut_off(body: bytes) -> bool:
    """What is only too short would be made whole by what comes after it."""
    return body in {b"5\r\n12345", b"5\r\n12", b"0\r\n", b"1\r\n\r\n", b"10000000000000000\r\na"}


def lines() -> Iterator[tuple[str, bytes]]:
    """A first line that is none."""
    rest = b"\r\nHost: localhost\r\n\r\n"
    for line in (
        *(b"", b" ", b"POST", b"POST ", b"POST " + PATH, b"POST  HTTP/1.1", b"post " + PATH + b" HTTP/1.1", b"\x00"),
        *(
            b"POST " + PATH + b" HTTP/1.1 x",
            b"POST " + PATH + b" HTTP",
            b"POST " + PATH + b" HTTP/",
            b"POST " + PATH + b" http/1.1",
        ),
        *(
            b"POST " + PATH + b" HTTP/" + version
            for version in (b"0.9", b"1", b"1.", b".1", b"1.2", b"2.0", b"3.0", b"1.10", b"11", b"x")
        ),
        *(b"POST\t" + PATH + b" HTTP/1.1", b"POST " + PATH + b"\tHTTP/1.1", b" POST " + PATH + b" HTTP/1.1"),
        *(
            b"P\x00ST " + PATH + b" HTTP/1.1",
            b"POST\x00 " + PATH + b" HTTP/1.1",
            b"P(ST " + PATH + b" HTTP/1.1",
            b"P\xc3\x96ST / HTTP/1.1",
        ),
        *(
            b"PRI * HTTP/2.0",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"SSH-2.0-x",
            b"HELO localhost",
            b"GET /",
            b"QUIT",
        ),
        *(b"CONNECT localhost:80 HTTP/1.1", b"BREW / HTTP/1.1", b"X" * 5000 + b" / HTTP/1.1"),
    ):
        yield f"line {line[:60]!r}", line + rest


def headers() -> Iterator[tuple[str, bytes]]:
    """A header that is none, that is folded, or that holds what none may hold."""
    for header in (
        *(
            b"X: a\r\n b",
            b"X: a\r\n\tb",
            b"X:\r\n b",
            b"X: a\r\n  \r\n b",
            b" X: a",
            b"\tX: a",
            b"X : a",
            b"X\t: a",
            b"X\x0b: a",
        ),
        *(
            b"X",
            b"X Y",
            b": a",
            b" : a",
            b":",
            b"X\x00: a",
            b"X: a\x00b",
            b"X: \x00",
            b"X: a\rb",
            b"X: a\r\rb",
            b"X\r: a",
        ),
        *(
            b"X: a\x01",
            b"X: a\x08b",
            b"X: a\x0bb",
            b"X: a\x0cb",
            b"X: a\x1b[31m",
            b"X: a\x7f",
            b"X(: a",
            b"X,Y: a",
            b"X;: a",
        ),
        *(
            b'X": a',
            b"X/: a",
            b"X[: a",
            b"X]: a",
            b"X?: a",
            b"X=: a",
            b"X{: a",
            b"X}: a",
            b"X@: a",
            b"X\\: a",
            b"X<: a",
            b"X>: a",
        ),
        *(b"X\xc3\xa4: a", b"X\xa0: a", b"\xff: a", b"X\x7f: a", b"\x00", b"X: a\n b", b"X: a\nY: b\n c"),
    ):
        yield f"header {header!r}", ACTION + header + b"\r\n\r\n"
    for ends in (b"\r", b"\r\r", b"\n\r", b"\r\n\r"):
        yield f"lines that end with {ends!r}", ACTION.replace(b"\r\n", ends) + ends
    yield "a head without end", ACTION + b"X: " + b"x" * 200_000
    yield "a header that is too long", ACTION + b"X: " + b"x" * 200_000 + b"\r\n\r\n"
    yield "a name that is too long", ACTION + b"X" * 200_000 + b": x\r\n\r\n"
    yield "too many headers", ACTION + b"x: y\r\n" * 1000 + b"\r\n"


def hosts() -> Iterator[tuple[str, bytes]]:
    """None, two, or one that is none."""
    first = b"POST " + PATH + b" HTTP/1.1\r\n"
    yield "no host", first + b"\r\n"
    yield "two hosts", first + b"Host: localhost\r\nHost: localhost\r\n\r\n"
    yield "two different hosts", first + b"Host: localhost\r\nHost: evil.example\r\n\r\n"
    yield "a host in another case, too", first + b"Host: localhost\r\nhOST: localhost\r\n\r\n"
    for host in (
        *(
            b"",
            b" ",
            b"localhost:",
            b"localhost:x",
            b"localhost:123456",
            b"localhost:-1",
            b"local host",
            b"localhost/x",
        ),
        *(
            b"user@localhost",
            b"localhost,evil.example",
            b"[::1",
            b"::1",
            b"[::1]x",
            b"http://localhost",
            b"localhost?x",
        ),
        *(
            b"localhost#x",
            b"localhost%00",
            b"local\xc3\xa4",
            b"evil.example",
            b"127.0.0.1.evil.example",
            b"localhost\\x",
            b"0x7f.1",
        ),
    ):
        yield f"host {host!r}", first + b"Host: " + host + b"\r\n\r\n"


def targets() -> Iterator[tuple[str, bytes]]:
    """A path that is none of ours, and may be one to somebody in front."""
    for target in (
        *(
            PATH.replace(b"/", b"%2F"),
            PATH.replace(b"acme", b"%61cme"),
            PATH + b"%00",
            PATH + b"%0d%0aX:%20y",
            b"/%2e%2e" + PATH,
        ),
        *(
            b"/x/.." + PATH,
            b"/." + PATH,
            b"//" + PATH[1:],
            PATH + b"/",
            PATH + b"//",
            PATH + b"/.",
            PATH + b"/..",
            PATH + b";x=y",
        ),
        *(
            PATH.replace(b"102", b"%31%30%32"),
            PATH.replace(b"102", b"0102"),
            PATH.replace(b"102", b"+102"),
            PATH.replace(b"102", b"102%20"),
        ),
        *(
            PATH.replace(b"102", b"-102"),
            PATH.replace(b"102", b"1e2"),
            PATH.replace(b"102", b"9" * 30),
            PATH.replace(b"102", b"..%2f102"),
        ),
        *(
            PATH.replace(b"/accept", b"\\accept"),
            PATH.replace(b"accept", b"ACCEPT"),
            PATH.replace(b"accept", b"acc%65pt"),
            b"*",
            b"x",
        ),
        *(
            PATH + b"?x=y",
            PATH + b"?" + b"x" * 100_000,
            b"/" + b"x" * 100_000,
            PATH + b"#x",
            PATH + b"\xc3\xa4",
            PATH + b"\x00",
        ),
        *(
            PATH + b" x",
            PATH + b"\x7f",
            b"http://",
            b"http://evil.example:x" + PATH,
            b"javascript:alert(1)",
            PATH[1:],
            b"?" + PATH,
        ),
        *(
            b"/v1" + PATH,
            PATH.replace(b"/v1", b"/V1"),
            PATH.replace(b"acme", b"nobody"),
            PATH.replace(b"acme", b""),
            b"/v1/%lookup",
        ),
    ):
        yield f"target {target[:60]!r}", b"POST " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    whole = b"http://evil.example" + PATH
    for target in (
        *(whole, whole.replace(b"http", b"HTTP"), whole.replace(b"evil.example", b"localhost:1"), b"https://" + PATH),
        *(whole.replace(b"evil", b"u@evil"), b"http://u@localhost" + PATH, b"http://localhost" + PATH + b"#x"),
        *(b"//localhost" + PATH, b"http:" + PATH, b"localhost" + PATH, b"*" + PATH, b"/" + PATH, b"x" + PATH),
        *(PATH + b"#", PATH + b"?#", b"#" + PATH, b"/#" + PATH, PATH + b"?x=#y", b"\\\\localhost" + PATH),
    ):
        yield f"another's target {target[:60]!r}", b"POST " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
