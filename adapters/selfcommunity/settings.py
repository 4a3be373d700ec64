"""What the configuration says about a SelfCommunity community."""

from __future__ import annotations

import msgspec

from adapters import secret, settings


class Caller(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="mode", tag="caller"):
    """Every caller brings a bearer token of its own."""


class Token(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="mode", tag="token"):
    """The gateway holds one user's bearer token."""

    token: secret.Token
    token_file: str | None = None


class Settings(settings.PlatformSettings, frozen=True, kw_only=True, tag_field="adapter", tag="selfcommunity"):
    """`base_url` is the community's, without `/api`."""

    credentials: Caller | Token
