"""Who calls: keys, and the policy of each caller.

Without callers in the configuration the gateway is open: everybody may do everything that needs no name. The
configuration sees to it that nothing can be reached then which could speak for others.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest
from typing import Final

import msgspec

from adapters.secret import Quiet
from gateway.headers import Given
from gateway.policy import CallerSettings, Grant, Right
from gateway.problems import Kind, Problem

KEY_HEADER: Final = "X-API-Key"


class Caller(Quiet, msgspec.Struct, frozen=True):
    """What one caller may. Nothing is allowed that is not said."""

    name: str | None
    """None: nobody in particular"""
    rights: frozenset[Right]
    platforms: frozenset[str] | None = None
    """None: all"""
    grants: tuple[Grant, ...] = ()

    def may_use(self, platform: str) -> bool:
        return self.platforms is None or platform in self.platforms

    def may_speak_for(self, platform: str, user_id: int) -> bool:
        """Whether it may name this user as the viewer there."""
        return any(grant.covers(platform, user_id) for grant in self.grants)

    def refusal(self, platform: str, right: Right) -> Problem | None:
        """What stands in its way, if anything does."""
        if not self.may_use(platform):
            return Problem(Kind.NOT_ALLOWED, "this caller may not use this platform", platform=platform)
        if right not in self.rights:
            return Problem(Kind.NOT_ALLOWED, f"this caller may not {right}", platform=platform)
        return None


ANYBODY: Final = Caller(name=None, rights=frozenset(Right))


class Callers:
    """The configured callers, or nobody: then the gateway is `open`."""

    def __init__(self, settings: Iterable[CallerSettings]) -> None:
        self._keys = [
            (
                digest,
                Caller(
                    name=each.name,
                    rights=frozenset(each.may),
                    platforms=None if each.platforms is None else frozenset(each.platforms),
                    grants=each.on_behalf_of,
                ),
            )
            for each in settings
            for digest in each.digests
        ]
        self.open = not self._keys

    def of(self, headers: Given) -> Caller:
        """Whose key this is. Raises the Problem `invalid-api-key`.

        All keys are compared, each in the same time wherever it differs, so that how long it takes tells nothing.
        """
        if self.open:
            return ANYBODY
        key = headers.single(KEY_HEADER)
        if not key:
            raise Problem(Kind.INVALID_API_KEY, f"expected the caller's key in {KEY_HEADER}")
        given = key_digest(key)
        found = [caller for digest, caller in self._keys if compare_digest(digest, given)]
        if not found:
            raise Problem(Kind.INVALID_API_KEY, f"{KEY_HEADER}: no caller has this key")
        return found[0]


def key_digest(key: str) -> str:
    """As the configuration has it: SHA-256 in hexadecimal digits, of the key as it travels in a header."""
    return sha256(key.encode("latin-1")).hexdigest()
