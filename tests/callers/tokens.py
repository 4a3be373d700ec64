"""Keys of callers that sign tokens, and tokens of any form: good ones, and what no signer would make."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.gateways import caller

PrivateKey = RSAPrivateKey | Ed25519PrivateKey

RSA: Final = generate_private_key(65537, 2048)
ED: Final = Ed25519PrivateKey.generate()
KIOSK: Final = generate_private_key(65537, 2048)
STRANGER: Final = generate_private_key(65537, 2048)
STRANGER_ED: Final = Ed25519PrivateKey.generate()
ISSUER: Final = "https://page.example"
AUDIENCE: Final = "https://gateway.example"
HEADER: Final = {"alg": "RS256", "typ": "JWT", "kid": "rsa-1"}
ED_HEADER: Final = {"alg": "EdDSA", "typ": "JWT", "kid": "ed-1"}
KIOSK_HEADER: Final = {"alg": "RS256", "typ": "JWT"}


def b64(data: bytes | str) -> str:
    raw = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def part(document: object) -> str:
    """A header or a payload. Text and bytes are taken as they are."""
    return b64(document if isinstance(document, (str, bytes)) else json.dumps(document))


def sign(message: str, key: PrivateKey) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(message.encode())
    return key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())


def claims(**other: Any) -> dict[str, Any]:
    """Those of a good token; a claim that is `...` is left out."""
    usual = {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 300, "may": ["read", "act"]}
    return {name: value for name, value in (usual | other).items() if value is not ...}


def signed(header: object = HEADER, payload: object = None, key: PrivateKey = RSA) -> str:
    """Signed with `key` as its type signs, whatever the header says."""
    message = f"{part(header)}.{part(claims() if payload is None else payload)}"
    return f"{message}.{b64(sign(message, key))}"


def token(**other: Any) -> str:
    """A good one, but for these claims."""
    return signed(payload=claims(**other))


def pem(key: PrivateKey) -> str:
    """Its public key."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def jwk(kid: str, key: PrivateKey, **other: Any) -> dict[str, Any]:
    """Its public key."""
    match key:
        case RSAPrivateKey():
            numbers = key.public_key().public_numbers()
            n, e = (b64(each.to_bytes((each.bit_length() + 7) // 8)) for each in (numbers.n, numbers.e))
            return {"kty": "RSA", "kid": kid, "n": n, "e": e, **other}
        case Ed25519PrivateKey():
            x = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": b64(x), **other}


def key_set(*keys: dict[str, Any]) -> str:
    return json.dumps({"keys": keys})


def signer(file: Path, content: str, name: str = "page", issuer: str = ISSUER, **policy: Any) -> dict[str, Any]:
    """An entry of `[[callers]]` whose keys are in `file`, which is written."""
    file.write_text(content)
    entry = {name_: value for name_, value in caller(name, **policy).items() if name_ != "key_sha256"}
    return entry | {"jwt_key_file": str(file), "jwt_issuer": issuer, "jwt_audience": AUDIENCE}


def page(folder: Path, **policy: Any) -> dict[str, Any]:
    """A caller with a key set of two keys, which may do everything unless `policy` says otherwise."""
    keys = key_set(jwk("rsa-1", RSA, alg="RS256", use="sig"), jwk("ed-1", ED))
    return signer(folder / "page.json", keys, **{"may": ["read", "act"], **policy})


def kiosk(folder: Path) -> dict[str, Any]:
    """A caller with one key in PEM."""
    return signer(folder / "kiosk.pem", pem(KIOSK), "kiosk", "https://kiosk.example", may=["read", "act"])
