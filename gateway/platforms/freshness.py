"""How old an answer may be."""

from __future__ import annotations

from typing import Final

ANY_TIME: Final = float("-inf")
"""A `since` that takes any answer."""
