"""What the configuration says about a SelfCommunity community."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import structs

from adapters import secret
from adapters.refresh_token import RefreshTokens
from adapters.secret import Secret
from adapters.selfcommunity.webhook import SelfCommunityWebhook
from adapters.settings import (
    Caller,
    Concern,
    Credentials,
    EventSettings,
    PlatformSettings,
    ThrottleScope,
    ViewerSource,
)
from adapters.user_ids import MAX_USER_ID
from adapters.webhook import Webhook

SHORTEST_SECRET: Final = 32
"""Bytes. A shorter secret protects HS256 less than its hash would (RFC 7518, 3.2)."""

MOUNTS: Final = Path("/proc/self/mountinfo")
"""Fields: id, parent, device, root, mount point with octal escapes, … (proc(5))."""

Text = Annotated[str, msgspec.Meta(min_length=1)]


class Token(Credentials, frozen=True, kw_only=True, tag="token"):
    """The gateway holds one user's bearer token."""

    token: secret.Token
    token_file: str | None = None


class Jwt(Credentials, frozen=True, kw_only=True, tag="jwt"):
    """The gateway signs tokens itself, of one user (`user_id`) or of any whom a caller names."""

    secret: Secret
    secret_file: str | None = None
    user_id: Annotated[int, msgspec.Meta(ge=1, le=MAX_USER_ID)] | None = None

    @property
    def viewer_source(self) -> ViewerSource:
        return ViewerSource.NAMED if self.user_id is None else ViewerSource.OWN

    @property
    def concerns(self) -> tuple[Concern, ...]:
        if len(self.secret.reveal().encode()) >= SHORTEST_SECRET:
            return ()
        text = f"shorter than {SHORTEST_SECRET} bytes, so who sees a token can guess it more easily (RFC 7518, 3.2)"
        return (Concern("secret_file", "short-secret", text),)


class OAuth2(Credentials, frozen=True, kw_only=True, tag="oauth2"):
    """The gateway is an OAuth client of one user, by a refresh token or by username and password."""

    client_id: Text
    client_secret: Secret
    client_secret_file: str | None = None
    refresh_token: Secret | None = None
    refresh_token_file: str | None = None
    username: Text | None = None
    password: Secret | None = None
    password_file: str | None = None

    def __post_init__(self) -> None:
        by_password = (self.username is not None, self.password is not None)
        if by_password != ((False, False) if self.refresh_token else (True, True)):
            raise ValueError("expected either refresh_token_file, or username and password_file")

    @property
    def keeps_refresh_tokens(self) -> bool:
        """Whether a new refresh token can take the old one's place in its file, and stay its owner's."""
        if self.refresh_token_file is None:
            return False
        file = Path(self.refresh_token_file).resolve()
        try:
            owner = file.stat().st_uid
        except OSError:
            return False
        return os.geteuid() in {0, owner} and not _is_mounted(file) and os.access(file.parent, os.W_OK)

    @property
    def is_good_once(self) -> bool:
        return self.refresh_token is not None and not self.keeps_refresh_tokens

    @property
    def sole_file(self) -> str | None:
        return None if self.refresh_token_file is None else str(Path(self.refresh_token_file).resolve())

    def as_first_configured(self, tokens: RefreshTokens) -> OAuth2:
        if self.refresh_token is None:
            return self
        return structs.replace(self, refresh_token=tokens.as_first_configured(self.refresh_token))

    @property
    def lasting(self) -> dict[str, object]:
        return {name: each for name, each in super().lasting.items() if name != "refresh_token"}

    @property
    def concerns(self) -> tuple[Concern, ...]:
        if not self.is_good_once:
            return ()
        text = "can't be replaced there: if the community gives a new one, it is lost when the gateway stops"
        key = "refresh_token" if self.refresh_token_file is None else "refresh_token_file"
        return (Concern(key, "refresh-token-not-kept", text),)


class Events(EventSettings, frozen=True, kw_only=True):
    """The secrets of the webhook that the community sends its events to; both count while one replaces the other."""

    secret: Secret
    secret_file: str | None = None
    previous_secret: Secret | None = None
    previous_secret_file: str | None = None

    @property
    def webhook(self) -> Webhook:
        return SelfCommunityWebhook([each for each in (self.secret, self.previous_secret) if each is not None])


class Settings(PlatformSettings, frozen=True, kw_only=True, tag_field="adapter", tag="selfcommunity"):
    """`base_url` is the community's, without `/api`; `login_url` is `{base_url}/oauth`, unless it is given."""

    THROTTLE_SCOPE: ClassVar = ThrottleScope.VIEWER

    credentials: Caller | Token | Jwt | OAuth2
    events: Events | None = None


def _is_mounted(file: Path) -> bool:
    """Whether this file alone is mounted, as containers do: then no other can take its place."""
    try:
        mounts = MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return os.path.ismount(file)
    return any(line.split()[4].encode().decode("unicode_escape") == str(file) for line in mounts)
