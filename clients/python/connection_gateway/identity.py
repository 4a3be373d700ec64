"""Who calls, and as whom: the headers that every request carries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

_ID: Final = re.compile(r"[1-9][0-9]{0,18}")
_PLATFORM: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_KEY: Final = re.compile(r"[!-~]+")
_TOKEN: Final = re.compile(r"[!-+\--~]+")


def user_id(given: int | str) -> str:
    """The id as text. ValueError for what can't be one."""
    text = str(given)
    if isinstance(given, bool) or not _ID.fullmatch(text) or int(text) >= 2**63:
        raise ValueError(f"a user id is a whole number from 1 to 2**63-1, not {given!r}")
    return text


def platform_name(given: str) -> str:
    """The name as it was given. ValueError for what can't be one."""
    if not _PLATFORM.fullmatch(given):
        raise ValueError(f"a platform's name is lower-case letters, digits and hyphens, not {given!r}")
    return given


@dataclass(frozen=True)
class Identity:
    """The headers that name caller and viewers. Prints no secret."""

    api_key: str | None = field(default=None, repr=False)
    viewers: Mapping[str, str] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.api_key is not None and not _KEY.fullmatch(self.api_key):
            raise ValueError("api_key: expected printable ASCII characters without spaces or line ends")

    def on_behalf_of(self, viewers: Mapping[str, int | str]) -> Identity:
        return replace(self, viewers={platform_name(name): user_id(each) for name, each in viewers.items()})

    def with_tokens(self, tokens: Mapping[str, str]) -> Identity:
        for name, token in tokens.items():
            if not _TOKEN.fullmatch(token):
                raise ValueError(f"the token for {platform_name(name)} is empty, or has a comma or a space in it")
        return replace(self, tokens=dict(tokens))

    def viewer(self, platform: str) -> tuple[str, str]:
        """As whom this platform is asked: the user who is named, and the token."""
        return self.viewers.get(platform, ""), self.tokens.get(platform, "")

    def headers(self) -> dict[str, str]:
        found = {}
        if self.api_key is not None:
            found["x-api-key"] = self.api_key
        if self.viewers:
            found["x-on-behalf-of"] = ", ".join(f"{name}={each}" for name, each in self.viewers.items())
        if self.tokens:
            found["x-platform-token"] = ", ".join(f"{name}={each}" for name, each in self.tokens.items())
        return found
