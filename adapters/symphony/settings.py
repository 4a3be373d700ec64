"""What the configuration says about a Symphony pod."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import msgspec

from adapters.secret import Secret
from adapters.settings import Caller, Credentials, PlatformSettings, ThrottleScope, ViewerSource

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers

SHORTEST_KEY: Final = 2048
"""Bits. A shorter key does not protect what is signed with it (NIST SP 800-131A)."""


class RsaKey(Secret):
    """A private key in PEM, PKCS#1 or PKCS#8. Parsed once: signing from text would block the loop for 40 ms.

    Whether its two factors are primes is not tried: for 4096 bits that takes half a second, in which no other thread
    of the process runs. Instead its numbers have to fit together, which a damaged key's don't.
    """

    __slots__ = ("key",)

    def __init__(self, text: str) -> None:
        """Raise ValueError where `text` is no unencrypted RSA key."""
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        super().__init__(text)
        try:
            key = load_pem_private_key(text.encode(), password=None, unsafe_skip_rsa_key_validation=True)
        except TypeError:
            # Not chained: whatever was parsed is a secret.
            raise ValueError("expected an unencrypted RSA private key in PEM, this one has a password") from None
        except ValueError:
            what = ", this is a public key" if "PUBLIC KEY" in text else ""
            raise ValueError(f"expected an unencrypted RSA private key in PEM{what}") from None
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("expected an RSA private key, this is one of another kind")  # noqa: TRY004  a value
        if key.key_size < SHORTEST_KEY:
            raise ValueError(f"expected an RSA key of at least {SHORTEST_KEY} bits")
        if not _is_consistent(key.private_numbers()):
            raise ValueError("expected an RSA private key, the numbers of this one don't fit together")
        self.key = key


def _is_consistent(key: RSAPrivateNumbers) -> bool:
    """Whether each number of the key follows from the others (RFC 8017, 3.2)."""
    p, q, n, e = key.p, key.q, key.public_numbers.n, key.public_numbers.e
    return (
        p * q == n
        and 1 < p < n
        and e * key.d % math.lcm(p - 1, q - 1) == 1
        and key.dmp1 == key.d % (p - 1)
        and key.dmq1 == key.d % (q - 1)
        and key.iqmp * q % p == 1
    )


class Bot(Credentials, frozen=True, kw_only=True, tag="bot"):
    """The gateway logs in as one service account."""

    username: Annotated[str, msgspec.Meta(min_length=1)]
    private_key: RsaKey
    private_key_file: str | None = None


class Obo(Credentials, frozen=True, kw_only=True, tag="obo"):
    """The gateway logs in as an app, which then speaks on behalf of any user who has it."""

    app_id: Annotated[str, msgspec.Meta(min_length=1)]
    private_key: RsaKey
    private_key_file: str | None = None

    @property
    def viewer_source(self) -> ViewerSource:
        return ViewerSource.NAMED


class Settings(PlatformSettings, frozen=True, kw_only=True, tag_field="adapter", tag="symphony"):
    """`base_url` is the pod's, without `/pod` and `/login`; `login_url` is `{base_url}/login`, unless it is given."""

    THROTTLE_SCOPE: ClassVar = ThrottleScope.PLATFORM

    credentials: Caller | Bot | Obo
