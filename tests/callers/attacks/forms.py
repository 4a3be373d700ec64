"""What is no token in compact form, or none of JSON with one reading; all that can be is signed by the caller's key."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from typing import Final

from tests.callers.tokens import ED, HEADER, ISSUER, RSA, STRANGER, b64, claims, jwk, part, signed, token

TEXT: Final = json.dumps(HEADER)
HEADERS: Final[dict[str, str | bytes]] = {
    "text": '"RS256"',
    "a list": '["RS256"]',
    "null": "null",
    "empty": "{}",
    "no JSON": "{",
    "more behind it": TEXT + "{}",
    "single quotes": str(HEADER),
    "a comment": TEXT + "//",
    "a comma too many": TEXT[:-1] + ",}",
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-32": TEXT.encode("utf-32-le"),
    "a byte order mark": b"\xef\xbb\xbf" + TEXT.encode(),
    "not UTF-8": b'{"alg":"RS256","kid":"\xff"}',
    "nested": "[" * 1500,
    "nested members": '{"a":' * 500 + "1" + "}" * 500,
}


def of_tokens() -> Iterator[tuple[str, str]]:
    good = token()
    header, payload, signature = good.split(".")
    yield from {
        "one part": payload,
        "two parts": f"{header}.{payload}",
        "four parts": good + ".AAAA",
        "five parts, as encrypted ones have": good + ".AAAA.AAAA",
        "a dot too many": good + ".",
        "a dot before": "." + good,
        "two dots": "..",
        "many dots": "." * 4000,
        "no header": f".{payload}.{signature}",
        "no payload": f"{header}..{signature}",
        "a scheme before it": "Bearer " + good,
        "quoted": f'"{good}"',
        "padded": good + "==",
        "a padded header": f"{base64.urlsafe_b64encode(TEXT.encode() + b' ').decode()}.{payload}.{signature}",
        "padding between": f"{header}=.{payload}.{signature}",
        "percent-encoded": good.replace(".", "%2E"),
        "a space in it": good.replace(".", ". ", 1),
        "a colon in it": good.replace(".", ":", 1),
        "garbage in it": good.replace(".", "!.", 1),
        "the other alphabet": "+/" + good,
        "a good one behind another": f"{signed(key=STRANGER)},{good}",
        "twice": good + good,
        "as JSON": json.dumps({"protected": header, "payload": payload, "signature": signature}),
        "the public key": json.dumps(jwk("ed-1", ED)),
        "the header alone": header + "..",
        "parts in another order": f"{payload}.{header}.{signature}",
    }.items()


def of_headers() -> Iterator[tuple[str, str]]:
    for name, header in HEADERS.items():
        yield name, signed(header)


def of_payloads() -> Iterator[tuple[str, str]]:
    text = json.dumps(claims())
    payloads: dict[str, str | bytes] = {
        "text": '"x"',
        "a list": f"[{text}]",
        "null": "null",
        "empty": "{}",
        "no JSON": text[:-1],
        "more behind it": text + text,
        "a comma too many": text[:-1] + ",}",
        "zeros": bytes(100),
        "UTF-16": text.encode("utf-16"),
        "UTF-32": text.encode("utf-32-le"),
        "a byte order mark": b"\xef\xbb\xbf" + text.encode(),
        "not UTF-8": text[:-1].encode() + b',"sub":"\xff"}',
        "nested": "[" * 2500,
        "nested lists in a claim": f'{text[:-1]},"sub":{"[" * 1300}{"]" * 1300}}}',
        "only its issuer": json.dumps({"iss": ISSUER}),
        "a token": token(),
        "compressed": zlib.compress(text.encode()),
    }
    for name, payload in payloads.items():
        yield name, signed(payload=payload)


def of_sizes() -> Iterator[tuple[str, str]]:
    good = token()
    for length in (4_000, 20_000, 60_000):
        yield f"{length} characters of subject", token(sub="x" * length)
    yield "a huge signature", good.rpartition(".")[0] + "." + "A" * 50_000
    yield "a huge header", signed(HEADER | {"typ": "J" * 50_000})
    yield "a huge number", signed(payload=json.dumps(claims(exp=-7)).replace("-7", "9" * 3000))
    yield "too many audiences", token(aud=["x"] * 2000)
    yield (
        "the header of a good one, and nothing of the size that is told",
        f"{part(HEADER)}.{b64('x')}.{b64(bytes(256))}",
    )
    yield "signed anew over a long text", signed(payload=json.dumps(claims()) + " " * 4000, key=RSA)
