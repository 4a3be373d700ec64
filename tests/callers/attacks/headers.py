"""Tokens, signed by the caller's own key unless they say otherwise, with a header that must not be followed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from tests.callers.tokens import ED, HEADER, RSA, STRANGER, jwk, signed

NAMES: Final = (
    *("", "ed-1", "rsa-2", "RSA-1", " rsa-1", "rsa-1 ", "rsa-1\0", "rsa", "rsa-1,ed-1", "*", "0", "None", "k" * 2000),
    *("../../../../dev/null", "/dev/null", "/proc/sys/kernel/randomize_va_space", "file:///dev/null"),
    *("' OR '1'='1", "x' UNION SELECT 'secret", "$(id)", "|id", "http://evil.example/key", "{{7*7}}"),
    *(None, 0, 1, True, ["rsa-1"], {"rsa-1": 1}),
)
PARAMETERS: Final[dict[str, Any]] = {
    "jku": "https://evil.example/keys.json",
    "x5u": "https://evil.example/key.pem",
    "jwk": jwk("rsa-1", STRANGER),
    "x5c": ["AAAA"],
    "x5t": "AAAA",
    "x5t#S256": "AAAA",
    "b64": False,
    "zip": "DEF",
    "enc": "A256GCM",
    "cty": "JWT",
    "epk": jwk("rsa-1", STRANGER),
    "p2c": 2**31,
    "p2s": "AAAA",
    "apu": "AAAA",
    "nonce": "AAAA",
    "url": "https://evil.example",
    "exp": 2**33,
    "Alg": "none",
    "ALG": "none",
    "": "",
}
CRITICAL: Final[tuple[Any, ...]] = (
    [],
    ["exp"],
    ["b64"],
    ["kid"],
    "b64",
    None,
    [1],
    ["http://example.invalid/UNDEFINED"],
)
TYPES: Final = ("JWE", "at+jwt", "logout+jwt", "dpop+jwt", "JOSE", "", "JWT JWT", 1, None, ["JWT"])
REPEATED: Final = (
    '{"alg":"none","alg":"RS256","kid":"rsa-1"}',
    '{"alg":"RS256","alg":"none","kid":"rsa-1"}',
    '{"alg":"RS256","alg":"RS256","kid":"rsa-1"}',
    '{"alg":"RS256","kid":"rsa-1","kid":"ed-1"}',
    '{"alg":"RS256","kid":"ed-1","kid":"rsa-1"}',
    '{"alg":"RS256","\\u0061lg":"RS256","kid":"rsa-1"}',
)


def key_names() -> Iterator[tuple[str, str]]:
    for name in NAMES:
        yield f"kid {name!r}"[:60], signed(HEADER | {"kid": name})
    yield "no kid, RS256", signed({"alg": "RS256", "typ": "JWT"})
    yield "no kid, EdDSA", signed({"alg": "EdDSA", "typ": "JWT"}, key=ED)


def parameters() -> Iterator[tuple[str, str]]:
    for name, value in PARAMETERS.items():
        yield f"{name!r}, signed by us", signed(HEADER | {name: value}, key=RSA)
        yield f"{name!r}, signed by a stranger", signed(HEADER | {name: value}, key=STRANGER)
    for value in CRITICAL:
        yield f"crit {value!r}", signed(HEADER | {"crit": value})
    yield "b64 in crit", signed(HEADER | {"crit": ["b64"], "b64": False})
    for kind in TYPES:
        yield f"typ {kind!r}", signed(HEADER | {"typ": kind})


def repeated_members() -> Iterator[tuple[str, str]]:
    for header in REPEATED:
        yield header, signed(header)
    yield "crit twice", signed(json.dumps(HEADER)[:-1] + ',"crit":["b64"],"crit":[]}')
