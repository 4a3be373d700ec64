"""What the configuration says about a BuddyPress site."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from adapters import secret
from adapters.secret import Secret
from adapters.settings import Caller, Credentials, PlatformSettings, ThrottleScope


class Password(Credentials, frozen=True, kw_only=True, tag="password"):
    """The gateway holds one user's application password of WordPress."""

    username: Annotated[str, msgspec.Meta(pattern=r"^[^:\x00-\x1f\x7f]+\Z")]
    password: Secret
    password_file: str | None = None


class Token(Credentials, frozen=True, kw_only=True, tag="token"):
    """The gateway holds one user's bearer token, of a site with a plug-in that takes such tokens."""

    token: secret.Token
    token_file: str | None = None


class Settings(PlatformSettings, frozen=True, kw_only=True, tag_field="adapter", tag="buddypress"):
    """`base_url` is the site's, without `/wp-json`; there is no login, so `login_url` has no effect."""

    THROTTLE_SCOPE: ClassVar = ThrottleScope.PLATFORM

    credentials: Caller | Password | Token
    permalinks: bool = True
    """whether the site has pretty permalinks; without them the API is asked as `/?rest_route=/buddypress/v2/…`"""
