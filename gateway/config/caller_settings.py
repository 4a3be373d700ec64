"""The settings of callers: `[[callers]]`."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType

from adapters.secret import RedactedRepr
from adapters.settings import PLATFORM_NAME, PlatformName
from adapters.user_ids import USER_ID, UserKey
from gateway.config.public_keys import PublicKeyFile
from gateway.config.rate import Rate

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_GRANT: Final = re.compile(rf"(?:({PLATFORM_NAME})=)?(\*|{USER_ID})")


class Right(StrEnum):
    """What a caller may do."""

    READ = "read"
    ACT = "act"


class Grant(RedactedRepr):
    """Viewers for whom a caller may speak: `*`, `acme=*`, `acme=123`, or `123` on every platform."""

    __slots__ = ("platform", "user_id")

    def __init__(self, text: str) -> None:
        """Raise ValueError where `text` is none of these."""
        found = _GRANT.fullmatch(text)
        if found is None:
            raise ValueError('expected "*", "PLATFORM=*", "PLATFORM=USER_ID" or "USER_ID"')
        self.platform: str | None = found[1]
        self.user_id = None if found[2] == "*" else found[2]

    @property
    def user_ids(self) -> set[str]:
        """The one user whom it names, if it names one."""
        return set() if self.user_id is None else {self.user_id}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grant) and (self.platform, self.user_id) == (other.platform, other.user_id)

    def __hash__(self) -> int:
        return hash((self.platform, self.user_id))

    def covers(self, platform: str, user_id: UserKey) -> bool:
        return self.platform in {None, platform} and self.user_id in {None, str(user_id)}


class CallerSettings(RedactedRepr, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of `[[callers]]`: one program that calls the gateway, and what it may."""

    name: str
    key_sha256: str | tuple[str, ...] | UnsetType = UNSET
    """SHA-256 of its key in hexadecimal digits; two while a new key takes the old one's place"""
    jwt_key_file: PublicKeyFile | None = None
    """in place of `key_sha256`: it sends tokens that are signed with one of these keys"""
    jwt_issuer: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    jwt_audience: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    """what such a token must have as `iss` and `aud`"""
    platforms: tuple[PlatformName, ...] | None = None
    """None: all"""
    may: tuple[Right, ...] = (Right.READ,)
    on_behalf_of: tuple[Grant, ...] = ()
    rate: Rate | None = None
    """None: as many requests as it likes"""
    burst: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    """requests at once; None: the number in `rate`"""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(".name: expected 1 to 64 of A-Z, a-z, 0-9, ., _ and -, a letter or digit first")
        if self.jwt_key_file is None:
            self._check_digests()
        self._check_token_keys()
        if self.platforms == ():
            raise ValueError(".platforms: expected at least one platform; without this key it is all of them")
        if not self.may:
            raise ValueError(".may: expected at least one of read, act")
        if self.burst is not None and self.rate is None:
            raise ValueError(".burst: has no effect without rate")

    @property
    def digests(self) -> tuple[str, ...]:
        if self.key_sha256 is UNSET:
            return ()
        return (self.key_sha256,) if isinstance(self.key_sha256, str) else self.key_sha256

    def _check_digests(self) -> None:
        if self.key_sha256 is UNSET:
            raise ValueError(".key_sha256: missing; or give jwt_key_file in its place")
        if not 1 <= len(self.digests) <= 2 or not all(map(_DIGEST.fullmatch, self.digests)):
            raise ValueError(".key_sha256: expected what `connection-gateway hash-key` prints, or a list of two")
        if len(set(self.digests)) != len(self.digests):
            raise ValueError(".key_sha256: the same key twice")

    def _check_token_keys(self) -> None:
        if self.jwt_key_file is not None and self.key_sha256 is not UNSET:
            raise ValueError(".jwt_key_file: expected this or key_sha256, not both")
        for name in ("jwt_issuer", "jwt_audience"):
            is_given = getattr(self, name) is not None
            if is_given and self.jwt_key_file is None:
                raise ValueError(f".{name}: has no effect without jwt_key_file")
            if self.jwt_key_file is not None and not is_given:
                raise ValueError(f".{name}: missing, which jwt_key_file needs")
