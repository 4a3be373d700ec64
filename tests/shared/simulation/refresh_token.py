"""A refresh token in the simulated store: what the scripts of `gateway.shared.refresh_tokens` do, in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from gateway.shared.refresh_tokens import CLAIM, CONFIRM, PUBLISH, RELEASE


class RefreshToken(msgspec.Struct):
    version: int = 0
    token: bytes = b""
    claim: str | None = None
    claimed_until: int = 0

    def run(self, script: str, now: int, *words: Any) -> Any:
        commands: dict[str, Callable[..., Any]] = {
            CLAIM: self._claim,
            CONFIRM: self._confirm,
            RELEASE: self._release,
            PUBLISH: self._publish,
        }
        return commands[script](now, *words)

    def _claim(self, now: int, claim: str, seconds: int, _lifetime: int) -> list[Any]:
        if self.claim is not None and now < self.claimed_until:
            return [0, 0, b""]
        self.claim, self.claimed_until = claim, now + seconds
        return [1, self.version, self.token]

    def _confirm(self, now: int, claim: str, seconds: int) -> int:
        if self.claim != claim:
            return 0
        self.claimed_until = now + seconds
        return 1

    def _release(self, _now: int, claim: str) -> int:
        if self.claim != claim:
            return 0
        self.claim = None
        return 1

    def _publish(self, _now: int, version: int, token: bytes, _lifetime: int) -> int:
        if self.version != version:
            return 0
        self.version, self.token, self.claim = version + 1, token, None
        return 1
