"""Tokens whose signature is not that of one of the caller's keys over what they say."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, Final

from tests.callers.tokens import (
    ED,
    ED_HEADER,
    HEADER,
    KIOSK,
    KIOSK_HEADER,
    RSA,
    STRANGER,
    STRANGER_ED,
    PrivateKey,
    b64,
    claims,
    jwk,
    part,
    sign,
    signed,
    token,
)

ORDER: Final = 2**252 + 27742317777372353535851937790883648493
"""Of Ed25519's group."""
N: Final = RSA.public_key().public_numbers().n
KEYS: Final[list[tuple[dict[str, Any], PrivateKey]]] = [(HEADER, RSA), (ED_HEADER, ED)]


def changed() -> Iterator[tuple[str, str]]:
    for header, key in KEYS:
        message, good = apart(signed(header, key=key))
        half, whole = len(good) // 2, int.from_bytes(good)
        others = {
            "zeros": bytes(len(good)),
            "ones": b"\xff" * len(good),
            "one": (1).to_bytes(len(good)),
            "missing": b"",
            "truncated": good[:-1],
            "without its first byte": good[1:],
            "longer at its end": good + b"\0",
            "longer at its start": b"\0" + good,
            "twice": good + good,
            "in halves": good[half:] + good[:half],
            **{
                f"bit {bit} flipped": (whole ^ 1 << bit).to_bytes(len(good))
                for bit in (0, half * 8, len(good) * 8 - 1)
            },
        }
        for what, signature in others.items():
            yield f"{header['alg']}: {what}", f"{message}.{b64(signature)}"
    message, good = apart(signed())
    yield "RS256: n - 1", f"{message}.{b64((N - 1).to_bytes(256))}"
    yield "RS256: plus n", f"{message}.{b64((int.from_bytes(good) + N).to_bytes(257))}"
    message, good = apart(signed(ED_HEADER, key=ED))
    malleable = good[:32] + (int.from_bytes(good[32:], "little") + ORDER).to_bytes(32, "little")
    yield "EdDSA: S plus the order", f"{message}.{b64(malleable)}"
    yield "EdDSA: bits that base64 leaves unused", loose_end(signed(ED_HEADER, key=ED))


def of_another_message() -> Iterator[tuple[str, str]]:
    header, payload, signature = token(may=["read"]).split(".")
    yield "more rights", f"{header}.{part(claims(may=['read', 'act']))}.{signature}"
    yield "a later end", f"{header}.{part(claims(exp=claims()['exp'] + 60, may=['read']))}.{signature}"
    yield "another viewer", f"{header}.{part(claims(may=['read'], on_behalf_of=['*']))}.{signature}"
    yield "another header", f"{part(HEADER | {'typ': 'jwt'})}.{payload}.{signature}"
    yield "another key's name", f"{part(ED_HEADER)}.{payload}.{signature}"
    yield "no key's name", f"{part({'alg': 'RS256'})}.{payload}.{signature}"
    yield "another token", f"{token(sub='a').rpartition('.')[0]}.{token(sub='b').rpartition('.')[2]}"
    head, body = part(HEADER), part(claims())
    yield "the payload alone", f"{head}.{body}.{b64(sign(body, RSA))}"
    yield "the header alone", f"{head}.{body}.{b64(sign(head, RSA))}"
    yield "nothing", f"{head}.{body}.{b64(sign('', RSA))}"
    decoded = json.dumps(HEADER) + json.dumps(claims())
    yield "what is decoded", f"{head}.{body}.{b64(sign(decoded, RSA))}"


def of_another_signer() -> Iterator[tuple[str, str]]:
    theirs = "https://kiosk.example"
    yield "a stranger's RSA key", signed(key=STRANGER)
    yield (
        "a stranger's RSA key, with it in the header",
        signed(HEADER | {"jwk": jwk("rsa-1", STRANGER)}, key=STRANGER),
    )
    yield "a stranger's RSA key, for one key in PEM", signed(KIOSK_HEADER, claims(iss=theirs), STRANGER)
    yield "a stranger's Ed25519 key", signed(ED_HEADER, key=STRANGER_ED)
    yield "our other key", signed(HEADER | {"kid": "ed-1", "alg": "EdDSA"}, key=RSA)
    yield "another caller's key", signed(HEADER, key=KIOSK)
    yield "another caller's key without a name", signed(KIOSK_HEADER, key=KIOSK)
    yield "another caller's issuer", signed(HEADER, claims(iss=theirs))
    yield "another caller's issuer, by EdDSA", signed(ED_HEADER, claims(iss=theirs), ED)


def apart(text: str) -> tuple[str, bytes]:
    """What is signed, and the signature."""
    message, _, signature = text.rpartition(".")
    return message, base64.urlsafe_b64decode(signature + "==")


def loose_end(text: str) -> str:
    """Another text that lax readers decode to the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]
