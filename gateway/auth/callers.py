"""Who calls: keys, tokens, and the policy of each caller.

Without callers in the configuration the gateway is open: everybody may do everything that needs no name. The
configuration sees to it that nothing can be reached then which could speak for others.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest
from typing import Final

import msgspec
from msgspec import UNSET, structs

from adapters.secret import RedactedRepr
from adapters.user_ids import UserKey
from gateway.auth.caller_tokens import SLACK, Claims, RefusedToken, SignedToken, TokenVerifier
from gateway.auth.headers import RequestHeaders
from gateway.auth.rate_limits import RateLimit
from gateway.config.caller_settings import CallerSettings, Grant, Right
from gateway.problems.problem import Kind, Problem

KEY_HEADER: Final = "X-API-Key"


class Caller(RedactedRepr, msgspec.Struct, frozen=True):
    """What one caller may. Nothing is allowed that is not said."""

    name: str | None
    """None: nobody in particular"""
    rights: frozenset[Right]
    platforms: frozenset[str] | None = None
    """None: all"""
    grants: tuple[Grant, ...] = ()
    token_grants: tuple[Grant, ...] | None = None
    """for whom its token speaks, if that is less; None: it has sent no token, but a key"""
    expires_at: float | None = None
    """when its token does, in seconds since 1970"""
    limit: RateLimit | None = None

    def narrowed(self, claims: Claims) -> Caller:
        """What is left of it for whoever has a token with these claims."""
        platforms = self.platforms
        if claims.platforms is not UNSET:
            named = frozenset(claims.platforms)
            platforms = named if platforms is None else platforms & named
        return structs.replace(
            self,
            rights=self.rights & frozenset(claims.may),
            platforms=platforms,
            token_grants=claims.on_behalf_of,
            expires_at=claims.exp + SLACK,
        )

    def may_use(self, platform: str) -> bool:
        return self.platforms is None or platform in self.platforms

    def may_speak_for(self, platform: str, user_id: UserKey) -> bool:
        """Whether it may name this user as the viewer there."""
        limits = [self.grants] if self.token_grants is None else [self.grants, self.token_grants]
        return all(any(grant.covers(platform, user_id) for grant in grants) for grants in limits)

    def speaks_for(self, platform: str) -> list[str]:
        """The users whom it may name as the viewer there, shorter ids first; `*` for everybody."""
        limits = [self.grants] if self.token_grants is None else [self.grants, self.token_grants]
        users: set[str | None] = {None}
        for grants in limits:
            granted = {grant.user_id for grant in grants if grant.platform in {None, platform}}
            if None not in granted:
                users = granted if None in users else users & granted
        named = [each for each in users if each is not None]
        return ["*"] if None in users else sorted(named, key=lambda user_id: (len(user_id), user_id))

    def refusal(self, platform: str, right: Right) -> Problem | None:
        """What stands in its way, if anything does."""
        if not self.may_use(platform):
            return Problem(Kind.NOT_ALLOWED, "this caller may not use this platform", platform=platform)
        if right not in self.rights:
            return Problem(Kind.NOT_ALLOWED, f"this caller may not {right}", platform=platform)
        return None


ANONYMOUS: Final = Caller(name=None, rights=frozenset(Right))


class Callers:
    """The configured callers, or nobody: then the gateway is `open`."""

    def __init__(self, settings: Iterable[CallerSettings]) -> None:
        self._keys: list[tuple[str, Caller]] = []
        self._verifiers: dict[str, tuple[TokenVerifier, Caller]] = {}
        for each in settings:
            caller = Caller(
                name=each.name,
                rights=frozenset(each.may),
                platforms=None if each.platforms is None else frozenset(each.platforms),
                grants=each.on_behalf_of,
                limit=None if each.rate is None else RateLimit.of(each.name, each.rate, each.burst),
            )
            self._keys += [(digest, caller) for digest in each.digests]
            if each.jwt_key_file is not None and each.jwt_issuer is not None and each.jwt_audience is not None:
                self._verifiers[each.jwt_issuer] = TokenVerifier(each.jwt_key_file, each.jwt_audience), caller
        self.open = not self._keys and not self._verifiers

    def of(self, headers: RequestHeaders) -> Caller:
        """Whose key or token this is. Raises the Problem `invalid-api-key`.

        All keys are compared, each in the same time wherever it differs, so that how long it takes tells nothing.
        """
        if self.open:
            return ANONYMOUS
        key = headers.single(KEY_HEADER)
        if not key:
            raise Problem(Kind.INVALID_API_KEY, f"expected the caller's key in {KEY_HEADER}")
        given = key_digest(key)
        found = [caller for digest, caller in self._keys if compare_digest(digest, given)]
        caller = found[0] if found else self._of_token(key)
        if caller is None:
            raise Problem(Kind.INVALID_API_KEY, f"{KEY_HEADER}: no caller has this key")
        return caller

    def _of_token(self, text: str) -> Caller | None:
        """The caller that has signed this token; None where it is no token, or nobody's."""
        if not self._verifiers:
            return None
        try:
            token = SignedToken(text)
        except ValueError:
            return None
        found = self._verifiers.get(token.issuer)
        if found is None:
            return None
        verifier, caller = found
        try:
            claims = verifier.verify(token, time.time())
        except RefusedToken as refused:
            raise Problem(Kind.INVALID_API_KEY, f"{KEY_HEADER}: the token is not good here: {refused}") from None
        return None if claims is None else caller.narrowed(claims)


def key_digest(key: str) -> str:
    """As the configuration has it: SHA-256 in hexadecimal digits, of the key as it travels in a header."""
    return sha256(key.encode("latin-1")).hexdigest()
