"""Tokens of an algorithm that is not the key's."""

from __future__ import annotations

import hmac
import itertools
import json
from collections.abc import Iterator
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.callers.tokens import ED, ED_HEADER, HEADER, RSA, b64, claims, jwk, key_set, part, pem, signed

NAMES: Final = ("none", "None", "NONE", "nOnE", "", None)
SECRETS: Final = {
    "PEM": pem(RSA).encode(),
    "PEM without its line end": pem(RSA).strip().encode(),
    "PEM with CRLF": pem(RSA).replace("\n", "\r\n").encode(),
    "DER": RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "JWK": json.dumps(jwk("rsa-1", RSA)).encode(),
    "key set": key_set(jwk("rsa-1", RSA, alg="RS256", use="sig"), jwk("ed-1", ED)).encode(),
    "n": jwk("rsa-1", RSA)["n"].encode(),
    "bytes of n": RSA.public_key().public_numbers().n.to_bytes(256),
    "x": jwk("ed-1", ED)["x"].encode(),
    "nothing": b"",
}
DIGESTS: Final = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}
SCHEMES: Final[dict[str, tuple[Any, Any]]] = {
    "RS384": (padding.PKCS1v15(), DIGESTS[384]),
    "RS512": (padding.PKCS1v15(), DIGESTS[512]),
    **{f"PS{bits}": (padding.PSS(padding.MGF1(each), each.digest_size), each) for bits, each in DIGESTS.items()},
}


def unsigned() -> Iterator[tuple[str, str]]:
    for name, kid in itertools.product(NAMES, (None, "rsa-1", "ed-1")):
        header = {"alg": name, "typ": "JWT"} | ({} if kid is None else {"kid": kid})
        what = f"alg {name!r}, kid {kid}"
        yield f"{what}, no signature", f"{part(header)}.{part(claims())}."
        yield f"{what}, two parts", f"{part(header)}.{part(claims())}"
        yield f"{what}, a good signature", signed(header)


def symmetric() -> Iterator[tuple[str, str]]:
    """The public key, which anybody may have, as the secret of an HMAC."""
    for (name, secret), bits, kid in itertools.product(SECRETS.items(), DIGESTS, ("rsa-1", "ed-1", "/dev/null")):
        message = f"{part({'alg': f'HS{bits}', 'kid': kid})}.{part(claims())}"
        signature = hmac.digest(secret, message.encode(), f"sha{bits}")
        yield f"HS{bits} with the {name} of {kid}", f"{message}.{b64(signature)}"


def asymmetric() -> Iterator[tuple[str, str]]:
    for name, scheme in SCHEMES.items():
        for told in (name, "RS256"):
            message = f"{part(HEADER | {'alg': told})}.{part(claims())}"
            yield f"{name} told as {told}", f"{message}.{b64(RSA.sign(message.encode(), *scheme))}"
    for other in ("rs256", "RS256 ", "RS256\0", "EdDSA", "Ed25519", "ES256", "ES256K", "dir", "RSA-OAEP"):
        yield f"RS256 told as {other!r}", signed(HEADER | {"alg": other})
    for value in (["RS256"], {"RS256": 1}, 1, True):
        yield f"RS256 told as {value!r}", signed(HEADER | {"alg": value})
    for other in ("RS256", "eddsa", "Ed25519", "Ed448", "ES256"):
        yield f"EdDSA told as {other!r}", signed(ED_HEADER | {"alg": other}, key=ED)
    yield "no algorithm", signed({"typ": "JWT", "kid": "rsa-1"})
    message = f"{part(HEADER | {'alg': 'ES256'})}.{part(claims())}"
    signature = generate_private_key(SECP256R1()).sign(message.encode(), ECDSA(hashes.SHA256()))
    yield "ES256 with a key of its own", f"{message}.{b64(signature)}"
    yield "ES256 of zeros (CVE-2022-21449)", f"{message}.{b64(bytes(64))}"
