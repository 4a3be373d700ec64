"""The tokens that a simulated platform takes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Final

from adapters.user_ids import UserKey

DEMO: Final = 1
"""The viewer of the token `demo`, which is always good."""


class Tokens:
    """Whose each token is."""

    def __init__(self, demo: UserKey = DEMO) -> None:
        self._demo = demo
        self._users: dict[str, UserKey] = {"demo": demo}
        self._proven: set[str] = set()
        self._expired: set[str] = set()

    def issue(self, user: UserKey) -> str:
        """A new token of this user."""
        token = secrets.token_urlsafe(32)
        self.accept(token, user)
        return token

    def accept(self, token: str, user: UserKey) -> None:
        """Let `token` be one of this user's."""
        self._users[token] = user

    def __iter__(self) -> Iterator[str]:
        return iter(self._users)

    def user(self, token: str) -> UserKey | None:
        return self._users.get(token)

    def is_live(self, token: str) -> bool:
        """Whether a token that proves by itself whose it is has not been expired. From now on it can be."""
        self._proven.add(token)
        return token not in self._expired

    def expire(self) -> None:
        """Refuse all of them from now on, but for `demo`."""
        self._users = {"demo": self._demo}
        self._expired |= self._proven
