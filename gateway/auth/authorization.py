"""Authorization: what a caller may do, on which platforms, and for whom. Nothing is allowed that is not said."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import UNSET, structs

from adapters.secret import RedactedRepr
from adapters.user_ids import UserKey
from gateway.auth.caller_tokens import SLACK, Claims
from gateway.auth.rate_limits import RateLimit
from gateway.config.caller_settings import Grant, Right
from gateway.problems.problem import Kind, Problem


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
