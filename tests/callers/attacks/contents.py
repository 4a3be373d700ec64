"""Tokens that the caller's own key has signed, and whose claims are not good here."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Final

from tests.callers.tokens import AUDIENCE, ISSUER, claims, signed, token

OFFSETS: Final = {
    "a minute ago": -60,
    "an hour ago": -3600,
    "a year ago": -31_536_000,
    "in 20 minutes": 1200,
    "in a day": 86_400,
    "in 100 years": 3_153_600_000,
}
EXPIRY: Final[tuple[Any, ...]] = (
    ...,
    0,
    -1,
    None,
    True,
    [],
    {},
    [2**33],
    2**53,
    2**63,
    2**64,
    10**400,
    1e308,
    "",
    "never",
)
TIMES: Final[tuple[Any, ...]] = (None, "0", True, [], {}, -1, 2**63)
WORDS: Final = ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "0x7fffffff", "1_000")
AUDIENCES: Final[tuple[Any, ...]] = (
    *(..., None, "", [], {}, 1, True, [1], [[AUDIENCE]], {AUDIENCE: 1}, "*", ["*"], "other", ["other"], ISSUER),
    *(AUDIENCE + "/", AUDIENCE + " ", AUDIENCE.upper(), AUDIENCE[:-1], f"{AUDIENCE},other", f"other {AUDIENCE}"),
    *([AUDIENCE, 1], [AUDIENCE, None]),
)
ISSUERS: Final[tuple[Any, ...]] = (
    *(..., None, "", [], 1, True, [ISSUER], {ISSUER: 1}, "page", "bot", "*", AUDIENCE, "https://kiosk.example"),
    *(ISSUER + "/", ISSUER + " ", ISSUER.upper(), ISSUER[:-1], ISSUER + "\0"),
)
RIGHTS: Final[dict[str, tuple[Any, ...]]] = {
    "may": (None, "read", "*", ["*"], ["admin"], ["read", "admin"], [1], {"read": True}, ["READ"], ["read "]),
    "on_behalf_of": (None, "*", ["**"], [1], ["acme="], ["acme=-1"], ["acme=1=2"], [["*"]], {"*": 1}, ["acme=*, *"]),
    "platforms": (None, "acme", ["ACME"], ["*"], [1], ["acme\n"], {"acme": 1}),
    "sub": (1, None, ["x"]),
    "jti": (1, None, ["x"]),
}
UNKNOWN: Final = ("Exp", "AUD", "May", "scope", "role", "admin", "name", "platform", "onBehalfOf", "", "__class__")
REPEATED: Final[dict[str, Any]] = {
    "exp": 1,
    "\\u0065xp": 1,
    "aud": "other",
    "iss": "other",
    "may": ["read"],
    "on_behalf_of": [],
    "sub": "x",
}


def expiry() -> Iterator[tuple[str, str]]:
    now = int(time.time())
    for name, offset in OFFSETS.items():
        yield name, token(exp=now + offset)
    yield "in milliseconds", token(exp=now * 1000 + 300_000)
    yield "as text", token(exp=str(now + 300))
    yield "as a date", token(exp="2999-01-01T00:00:00Z")
    for value in EXPIRY:
        yield f"{value!r}"[:40], token(exp=value)
    for word in WORDS:
        yield word, signed(payload=json.dumps(claims(exp=-7)).replace("-7", word))


def other_times() -> Iterator[tuple[str, str]]:
    for name in ("nbf", "iat"):
        yield f"{name} in 2 minutes", token(**{name: int(time.time()) + 120})
        for value in TIMES:
            yield f"{name} {value!r}", token(**{name: value})
        for word in WORDS:
            yield f"{name} {word}", signed(payload=json.dumps(claims(**{name: -7})).replace("-7", word))


def audiences() -> Iterator[tuple[str, str]]:
    for value in AUDIENCES:
        yield f"{value!r}", token(aud=value)


def issuers() -> Iterator[tuple[str, str]]:
    for value in ISSUERS:
        yield f"{value!r}", token(iss=value)


def rights() -> Iterator[tuple[str, str]]:
    for name, values in RIGHTS.items():
        for value in values:
            yield f"{name} {value!r}", token(**{name: value})
    for name in UNKNOWN:
        yield f"an unknown claim {name!r}", token(**{name: "x"})


def repeated_claims() -> Iterator[tuple[str, str]]:
    body = json.dumps(claims(sub="y", on_behalf_of=["*"]))[1:-1]
    for name, value in REPEATED.items():
        other = f'"{name}":{json.dumps(value)}'
        yield f"{name} before", signed(payload=f"{{{other},{body}}}")
        yield f"{name} after", signed(payload=f"{{{body},{other}}}")
        yield f"{name} with the same value", signed(payload=f"{{{body},{other},{other}}}")
