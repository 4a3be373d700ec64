"""The times in a JWT, as a platform checks them by its own clock: without leeway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jwt.types import Options

IGNORE_TIMES: Final[Options] = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
"""Options for PyJWT, which knows no clock but ours."""


def is_valid_at(now: float, claims: Mapping[str, Any]) -> bool:
    """Whether `exp` is still to come, and `iat` and `nbf`, where they are given, are not. Times are whole numbers."""
    times = {name: claims[name] for name in ("exp", "iat", "nbf") if name in claims}
    if any(type(time) is not int for time in times.values()):
        return False
    return times.pop("exp") > now and all(time <= now for time in times.values())
