"""What a simulated platform was asked, counted."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import msgspec

_ID: Final = re.compile(r"(?<=/)[0-9]+(?=/|$)")


class Calls(msgspec.Struct):
    """`logins` are counted apart from all other `calls`; `by_path` has both, ids replaced by `{id}`."""

    calls: int = 0
    logins: int = 0
    by_path: Counter[str] = msgspec.field(default_factory=Counter)

    def count(self, method: str, path: str, *, is_login: bool) -> None:
        if is_login:
            self.logins += 1
        else:
            self.calls += 1
        self.by_path[f"{method} {_ID.sub('{id}', path)}"] += 1

    def reset(self) -> None:
        self.calls = self.logins = 0
        self.by_path.clear()
