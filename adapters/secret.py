"""Text that must never be written, and never is: whoever prints it prints an ellipsis."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec

MAX_TOKEN: Final = 8192
_TOKEN: Final = rf"^[!-~]{{1,{MAX_TOKEN}}}\Z"

TokenText = Annotated[str, msgspec.Meta(pattern=_TOKEN)]
"""Text that can travel as a token: visible ASCII, so that no platform's token can add a header of its own."""


class Secret:
    """Text that must never be written: `repr` and `str` hide it, `reveal()` hands it to the wire."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"


class Token(Secret):
    """A secret that travels in a header: visible ASCII, at most `MAX_TOKEN` characters."""

    __slots__ = ()

    def __init__(self, text: str) -> None:
        """Raise ValueError where `text` can't travel as it is."""
        if not re.match(_TOKEN, text):
            raise ValueError(f"expected a token: 1 to {MAX_TOKEN} visible ASCII characters")
        super().__init__(text)
