"""The public keys of a caller that signs tokens: one in PEM, or a JSON Web Key Set (RFC 7517).

PyJWT and cryptography are imported only where such a file is configured: they take 40 ms and 3 MB.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from adapters.files import UnreadableFile, read_text_file
from gateway.config.strict_json import parse_strict_json

if TYPE_CHECKING:
    from jwt import PyJWS

RSA_BITS: Final = range(2048, 8192 + 1)
"""Shorter keys do not protect (NIST SP 800-131A); longer ones let a forged token cost milliseconds."""
ALGORITHMS: Final = {"RSA": "RS256", "OKP": "EdDSA"}
"""By a key's type: the only algorithm that it verifies, whatever a token says."""
EXPECTED: Final = "expected an RSA or Ed25519 public key"


class PublicKey(msgspec.Struct, frozen=True):
    """Verifies tokens of one algorithm."""

    kid: str | None
    """its name in a key set; None: the only key of a PEM file"""
    algorithm: str
    key: Any

    def payload(self, token: str) -> bytes | None:
        """The payload of this compact JWS; None if it was not signed with this key, or not by this algorithm."""
        from jwt import PyJWTError

        try:
            payload: bytes = _verifier(self.algorithm).decode(token, self.key, algorithms=[self.algorithm])
        except PyJWTError:
            return None
        return payload


@functools.cache
def _verifier(algorithm: str) -> PyJWS:
    """PyJWT's, without any other algorithm."""
    from jwt import PyJWS

    return PyJWS([algorithm])


class PublicKeyFile:
    """A file with public keys, read once, here. Two are equal if they have the same path and the same content."""

    __slots__ = (
        "_digest",
        "keys",
        "path",
        "readable_by_everyone",
        "replaceable_by_everyone",
        "writable_by_everyone",
    )

    def __init__(self, path: str) -> None:
        """Raise ValueError where the file can't be read, or is neither PEM nor a key set."""
        try:
            file = read_text_file(Path(path))
        except UnreadableFile as error:
            raise ValueError(str(error)) from None
        self.path = path
        self.readable_by_everyone = file.readable_by_everyone
        self.writable_by_everyone = file.writable_by_everyone
        self.replaceable_by_everyone = file.replaceable_by_everyone
        self._digest = sha256(file.text.encode()).digest()
        is_set = file.text.lstrip().startswith("{")
        self.keys = tuple(_key_set(file.text)) if is_set else (_pem(file.text),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKeyFile) and (self.path, self._digest) == (other.path, other._digest)

    def __hash__(self) -> int:
        return hash((self.path, self._digest))

    def find(self, kid: str | None) -> PublicKey | None:
        """The key with this name. The only key of a PEM file has none, and is the one whatever a token says."""
        return next((key for key in self.keys if key.kid in {None, kid}), None)


class _Jwk(msgspec.Struct, frozen=True):
    """A key of a set. Members that are not listed here are ignored (RFC 7517, 4)."""

    kty: str
    kid: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    alg: str | UnsetType = UNSET
    use: str = "sig"
    key_ops: tuple[str, ...] = ("verify",)
    crv: str | UnsetType = UNSET
    n: str | UnsetType = UNSET
    e: str | UnsetType = UNSET
    x: str | UnsetType = UNSET
    d: Any = UNSET
    k: Any = UNSET


class _KeySet(msgspec.Struct, frozen=True):
    keys: Annotated[tuple[_Jwk, ...], msgspec.Meta(min_length=1)]


def _key_set(text: str) -> Iterator[PublicKey]:
    try:
        found = msgspec.convert(parse_strict_json(text), _KeySet)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$")
        at = f"{place.strip('.`')}: " if place else ""
        raise ValueError(f"expected a JSON Web Key Set: {at}{what}") from None
    except ValueError:
        raise ValueError("expected a JSON Web Key Set, or a public key in PEM") from None
    names: set[str] = set()
    for number, jwk in enumerate(found.keys):
        where = f"keys[{number}]"
        if jwk.kid in names:
            raise ValueError(f"{where}.kid: another key has it as well")
        names.add(jwk.kid)
        yield _from_jwk(where, jwk)


def _from_jwk(where: str, jwk: _Jwk) -> PublicKey:
    from jwt import PyJWTError
    from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

    if jwk.d is not UNSET or jwk.k is not UNSET:
        raise ValueError(f"{where}: {EXPECTED}, this is a secret or private key")
    algorithm = ALGORITHMS.get(jwk.kty)
    if algorithm is None or (jwk.kty == "OKP" and jwk.crv != "Ed25519"):
        raise ValueError(f"{where}: {EXPECTED}")
    if jwk.alg not in {UNSET, algorithm}:
        raise ValueError(f"{where}.alg: expected {algorithm}")
    if jwk.use != "sig" or "verify" not in jwk.key_ops:
        raise ValueError(f"{where}: expected a key for signatures")
    names = ("kty", "n", "e") if jwk.kty == "RSA" else ("kty", "crv", "x")
    members = {name: getattr(jwk, name) for name in names}
    try:
        key = (RSAAlgorithm if jwk.kty == "RSA" else OKPAlgorithm).from_jwk(members)
    except (PyJWTError, ValueError, TypeError):
        raise ValueError(f"{where}: {EXPECTED}") from None
    return _checked(key, jwk.kid, f"{where}: ")


def _pem(text: str) -> PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if "PRIVATE KEY" in text:
        raise ValueError(f"{EXPECTED} in PEM, this is a private key")
    if text.count("-----BEGIN ") != 1:
        raise ValueError(f"{EXPECTED} in PEM, and one only; several are given as a JSON Web Key Set")
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(f"{EXPECTED} in PEM, or a JSON Web Key Set") from None
    return _checked(key, None, "")


def _checked(key: object, kid: str | None, where: str) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    match key:
        case RSAPublicKey(key_size=size) if size in RSA_BITS:
            return PublicKey(kid, ALGORITHMS["RSA"], key)
        case RSAPublicKey():
            raise ValueError(f"{where}expected an RSA key of {RSA_BITS[0]} to {RSA_BITS[-1]} bits")
        case Ed25519PublicKey():
            return PublicKey(kid, ALGORITHMS["OKP"], key)
        case _:
            raise ValueError(f"{where}{EXPECTED}")
