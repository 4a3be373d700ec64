"""Answers as machines in between and sloppy servers send them, made from good ones."""

from __future__ import annotations

import gzip
import random
import re
import zlib
from collections.abc import Callable
from typing import Final

from tests import wire

VALUE: Final = re.compile(rb'(?<=[:\[,])\s*("[^"]*"|-?[0-9.]+|null|true|false)')
TEXT: Final = re.compile(rb'(?<=")[^"]*(?=")')
TIME: Final = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z?|[0-9]{13}")

TEXTS: Final = (
    rb"\ud800",
    rb"\udc00x",
    rb"\udc00\ud800",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\x00",
    rb"\u0000",
    rb"\u12",
)
VALUES: Final = (
    b"null",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 5000,
    b"-0",
    b"1.0",
    b"[]",
    b"{}",
    rb'"\ud800"',
    b'""',
)
TIMES: Final = (
    b"2026-11-21t21:41:00z",
    b"2016-12-31T23:59:60Z",
    b"2016-12-31T23:59:60",
    b"9999-12-31T23:59:60-12:00",
    b"2026-11-21T24:00:00Z",
    b"2026-11-21 21:41:00.123456789+0000",
    b"2026-W47-6T21:41Z",
    b"0000-00-00T00:00:00Z",
    b"-1",
    b"253402300800000",
)
STATUSES: Final = (
    301,
    400,
    401,
    403,
    404,
    407,
    408,
    410,
    413,
    414,
    421,
    422,
    425,
    429,
    451,
    499,
    500,
    502,
    503,
    504,
    520,
    599,
)
PAGES: Final = (
    b"",
    b"<html>blocked</html>",
    b"{}",
    b'{"detail":"no"}',
    b'{"code":1,"message":"no"}',
    b'{"code":"bp_rest_error","message":"no"}',
    rb'{"detail":"\ud800"}',
)
LATER: Final = ("29.7", "0", "-1", "1m30s", "soon", "Sun, 99 Sep 2001 01:46:50 GMT", "9" * 500, "7, 9")

ENCODINGS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("gzip", lambda body: gzip.compress(body[:20]) + gzip.compress(body[20:])),
    ("gzip", lambda body: gzip.compress(body) + b"\0" * 8),
    ("gzip", lambda _body: b""),
    ("x-gzip", gzip.compress),
    ("GZIP", gzip.compress),
    ("gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
    ("deflate", zlib.compress),
    ("deflate", lambda body: zlib.compress(body)[2:-4]),
    ("identity", lambda body: body),
    ("br", lambda body: body),
)


def odd(status: str, body: bytes, chance: random.Random) -> bytes:
    """One of these kinds, as it stands on the wire."""
    match chance.randrange(6):
        case 0:
            encoding, encode = chance.choice(ENCODINGS)
            return wire.answer(encode(body), f"Content-Encoding: {encoding}", status=status)
        case 1:
            return wire.answer(_replaced(TEXT, body, chance.choice(TEXTS), chance), status=status)
        case 2:
            return wire.answer(_replaced(VALUE, body, chance.choice(VALUES), chance), status=status)
        case 3:
            return wire.answer(_replaced(TIME, body, chance.choice(TIMES), chance), status=status)
        case 4:
            unread = chance.choice(VALUES)
            return wire.answer(b"\xef\xbb\xbf" + body.replace(b"{", b'{"unread":' + unread + b",", 1), status=status)
        case _:
            headers = [f"Retry-After: {chance.choice(LATER)}"] if chance.random() < 0.5 else []
            headers += [f"X-Hop-{hop}: 1" for hop in range(chance.choice((0, 0, 0, 0, 0, 150, 300, 1000)))]
            return wire.answer(chance.choice(PAGES), *headers, status=f"{chance.choice(STATUSES)} Odd")


def _replaced(pattern: re.Pattern[bytes], body: bytes, by: bytes, chance: random.Random) -> bytes:
    """With another text in the place of one that fits the pattern, where there is one."""
    found = list(pattern.finditer(body))
    if not found:
        return body
    place = chance.choice(found)
    return body[: place.start()] + by + body[place.end() :]
