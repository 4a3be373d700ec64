"""Who exists on a simulated platform, and what each user has on record about each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from adapters.user_ids import UserKey

T = TypeVar("T")


class Relations(Generic[T]):
    """Every pair of users has two records, one for each side, that come and go together."""

    def __init__(self) -> None:
        self._usernames: dict[UserKey, str] = {}
        self._records: dict[UserKey, dict[UserKey, T]] = {}

    def copy(self) -> Relations[T]:
        """The same users and records, from now on apart."""
        copy: Relations[T] = Relations()
        copy._usernames = self._usernames.copy()
        copy._records = {user: records.copy() for user, records in self._records.items()}
        return copy

    def know(self, *users: UserKey, username: str | None = None) -> None:
        for user in users:
            self._usernames.setdefault(user, username or f"user-{user}")

    def __contains__(self, user: object) -> bool:
        return user in self._usernames

    def username(self, user: UserKey) -> str:
        return self._usernames[user]

    def user(self, username: str) -> UserKey:
        """KeyError where there is none."""
        for user, name in self._usernames.items():
            if name == username:
                return user
        raise KeyError(username)

    def between(self, viewer: UserKey, user: UserKey) -> T | None:
        return self._records.get(viewer, {}).get(user)

    def of(self, viewer: UserKey) -> Mapping[UserKey, T]:
        """All that the viewer has on record, in the order in which it came up."""
        return self._records.get(viewer, {})

    def put(self, viewer: UserKey, user: UserKey, ours: T, theirs: T) -> None:
        """Set both sides; whoever was unknown exists from now on."""
        self.know(viewer, user)
        self._records.setdefault(viewer, {})[user] = ours
        self._records.setdefault(user, {})[viewer] = theirs

    def drop(self, viewer: UserKey, user: UserKey) -> None:
        self._records.get(viewer, {}).pop(user, None)
        self._records.get(user, {}).pop(viewer, None)
