"""Short-lived tokens of callers: JSON Web Tokens (RFC 7519) that the backend of a page signs for it."""

from __future__ import annotations

import base64
import re
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType

from adapters.secret import RedactedRepr
from adapters.settings import PlatformName
from gateway.config.caller_settings import Grant, Right
from gateway.config.public_keys import PublicKeyFile
from gateway.config.strict_json import parse_strict_json

MAX_LENGTH: Final = 4096
"""Characters of a token."""
MAX_LIFETIME: Final = 15 * 60
"""Seconds from now at which a token may expire at most."""
SLACK: Final = 30
"""Seconds by which the signer's clock and ours may differ."""
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

Time = Annotated[float, msgspec.Meta(ge=0, le=2**53)]
"""Seconds since 1970."""


class Claims(RedactedRepr, msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a token says. It never allows more than the `[[callers]]` entry whose key has signed it.

    Required:
    - `iss`: the entry's `jwt_issuer`.
    - `aud`: the entry's `jwt_audience`, or a list that contains it.
    - `exp`: when it expires, at most 15 minutes from now.

    Optional, and if they are missing the same as in an entry:
    - `may`: of `"read"` and `"act"`; missing: `["read"]`.
    - `on_behalf_of`: the viewers for whom it speaks, such as `["acme=123"]`; missing: none.
    - `platforms`: the platforms that it is for; missing: those of the entry.

    Optional, from RFC 7519: `nbf` and `iat`, which must not lie in the future; `sub` and `jti`, which are not used.
    All times are checked with 30 seconds of slack. Any other claim is refused: a misspelt restriction would not
    restrict.

    The header has `alg` (`RS256` for an RSA key, `EdDSA` for an Ed25519 key), and may have `typ` (`JWT`) and `kid`,
    which is required where `jwt_key_file` is a key set. Any other header parameter is refused.
    """

    iss: str
    aud: str | tuple[str, ...]
    exp: Time
    nbf: Time | UnsetType = UNSET
    iat: Time | UnsetType = UNSET
    sub: str | UnsetType = UNSET
    jti: str | UnsetType = UNSET
    platforms: tuple[PlatformName, ...] | UnsetType = UNSET
    may: tuple[Right, ...] = (Right.READ,)
    on_behalf_of: tuple[Grant, ...] = ()

    @property
    def audiences(self) -> tuple[str, ...]:
        return (self.aud,) if isinstance(self.aud, str) else self.aud


class RefusedToken(Exception):
    """A token that one of our keys has signed, and that is not good here. The text says why, and quotes nothing."""


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alg: str
    typ: str = "JWT"
    kid: str | UnsetType = UNSET


class SignedToken(RedactedRepr):
    """A token as it was sent. Nothing that it says is to be believed before `TokenVerifier` has verified it."""

    __slots__ = ("header", "issuer", "text")

    def __init__(self, text: str) -> None:
        """Raise ValueError where `text` is no token of the form that is accepted here."""
        if len(text) > MAX_LENGTH or not _COMPACT.fullmatch(text):
            raise ValueError("expected a JSON Web Token")
        header, payload, _ = text.split(".")
        self.text = text
        self.header = msgspec.convert(_decode(header), _Header)
        if self.header.typ.upper() != "JWT":
            raise ValueError("expected the type JWT")
        match _decode(payload):
            case {"iss": str(issuer)}:
                self.issuer = issuer
            case _:
                raise ValueError("expected an issuer")


class TokenVerifier:
    """Verifies the tokens of one `[[callers]]` entry."""

    def __init__(self, keys: PublicKeyFile, audience: str) -> None:
        self._keys = keys
        self._audience = audience

    def verify(self, token: SignedToken, now: float) -> Claims | None:
        """What it says, at `now` (seconds since 1970); None where none of the keys has signed it.

        Raises RefusedToken.
        """
        key = self._keys.find(None if token.header.kid is UNSET else token.header.kid)
        payload = None if key is None else key.payload(token.text)
        if payload is None:
            return None
        claims = _claims(payload)
        if self._audience not in claims.audiences:
            raise RefusedToken("it is for another audience")
        if claims.exp + SLACK <= now:
            raise RefusedToken("it has expired")
        if claims.exp > now + MAX_LIFETIME + SLACK:
            raise RefusedToken(f"exp: expected at most {MAX_LIFETIME} seconds from now")
        if any(time is not UNSET and time > now + SLACK for time in (claims.nbf, claims.iat)):
            raise RefusedToken("it is not valid yet")
        return claims


def _claims(payload: bytes) -> Claims:
    try:
        return msgspec.convert(parse_strict_json(payload.decode()), Claims, dec_hook=_grant)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$")
        if place:
            raise RefusedToken(f"{place.strip('.`')}: not as expected") from None
        missing = re.fullmatch(r"Object missing required field `(\w+)`", what)
        raise RefusedToken(f"{missing[1]}: missing" if missing else "a claim that is not known here") from None
    except ValueError:
        raise RefusedToken("its claims are not a JSON object that has one reading only") from None


def _grant(kind: type[Grant], value: object) -> Grant:
    if not isinstance(value, str):
        raise TypeError("expected text")
    return kind(value)


def _decode(part: str) -> object:
    """The JSON of a part of a token. Raises ValueError."""
    data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    return parse_strict_json(data.decode())
