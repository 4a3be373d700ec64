"""Parses `X-On-Behalf-Of`: `123`, or `acme=123, club=7`."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from adapters.secret import RedactedRepr
from adapters.user_ids import UserIds, UserKey, parse_text


class OnBehalf(RedactedRepr, msgspec.Struct, frozen=True):
    """Either one user for every platform that names viewers, or one for each of some platforms."""

    everywhere: str | None = None
    by_platform: Mapping[str, UserKey] = {}

    def of(self, platform: str) -> UserKey | None:
        """The viewer there, if one is named."""
        return self.by_platform.get(platform, self.everywhere)

    def on(self, platforms: Mapping[str, UserIds]) -> OnBehalf:
        """The same, with the one user for every platform as the viewer of these. Raises ValueError."""
        if self.everywhere is None:
            return self
        return OnBehalf(by_platform={name: user_ids.parse(self.everywhere) for name, user_ids in platforms.items()})

    @classmethod
    def parse(cls, text: str, platforms: Mapping[str, UserIds]) -> OnBehalf:
        """Raises ValueError, which tells the place of what is wrong: anything there could be a user's."""
        parts = [part.strip(" \t") for part in text.split(",")]
        if len(parts) == 1 and "=" not in text:
            return cls(everywhere=parse_text(parts[0]))
        named: dict[str, UserKey] = {}
        for place, part in enumerate(parts, 1):
            name, _, user_id = part.partition("=")
            if name not in platforms:
                raise ValueError(f"part {place}: expected PLATFORM=USER_ID with a configured platform")
            if name in named:
                raise ValueError(f"part {place}: platform {name} is named twice")
            try:
                named[name] = platforms[name].parse(user_id)
            except ValueError as error:
                raise ValueError(f"part {place}: {error}") from None
        return cls(by_platform=named)


NO_VIEWERS = OnBehalf()
