"""Encrypts values (AES-256-GCM) and hashes names (HMAC-SHA-256), so that the store holds nothing in the clear."""

from __future__ import annotations

import base64
import hmac
import secrets
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.secret import RedactedRepr
from gateway.config.shared_settings import SharedKey

VERSION: Final = b"\x01"
"""The first byte of every value: other versions are not read."""
NONCE: Final = 12
"""Bytes. Drawn at random, one key is good for 2^32 values (NIST SP 800-38D)."""


class Sealer(RedactedRepr):
    """Under one key. Keys for each purpose are derived from it."""

    def __init__(self, key: SharedKey, prefix: str) -> None:
        self._prefix = prefix
        self._values = AESGCM(_derived(key, b"values"))
        self._names = _derived(key, b"names")
        self.viewers = _derived(key, b"viewers")
        """the key of the hashes that stand for viewers' tokens: the same in all replicas"""

    def digest(self, *parts: bytes) -> bytes:
        """A keyed hash of these parts. No other parts have the same: each goes in with its length."""
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self._names, message, sha256)

    def name(self, kind: str, *parts: bytes) -> str:
        """A name in the store: its beginning and `kind` are readable, what it is about is not."""
        hashed = base64.urlsafe_b64encode(self.digest(kind.encode(), *parts)).decode().rstrip("=")
        return f"{self._prefix}:{kind}:{hashed}"

    def seal(self, name: str, value: bytes) -> bytes:
        """Encrypt a value so that it can be read under this name only."""
        nonce = secrets.token_bytes(NONCE)
        return VERSION + nonce + self._values.encrypt(nonce, value, VERSION + name.encode())

    def open(self, name: str, sealed: object) -> bytes | None:
        """Return the value. None where it was not sealed under this name and this key, or is no longer whole."""
        if not isinstance(sealed, bytes) or sealed[:1] != VERSION:
            return None
        nonce, encrypted = sealed[1 : 1 + NONCE], sealed[1 + NONCE :]
        try:
            return self._values.decrypt(nonce, encrypted, VERSION + name.encode())
        except (InvalidTag, ValueError):
            return None


def _derived(key: SharedKey, purpose: bytes) -> bytes:
    return hmac.digest(key.data, b"connection-gateway " + purpose, sha256)
