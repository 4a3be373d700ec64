"""Text that must never be written, and never is: whoever prints it prints an ellipsis."""

from __future__ import annotations

import hmac
import re
from typing import Annotated, Final

import msgspec

MAX_TOKEN: Final = 8192
_TOKEN: Final = rf"^[!-~]{{1,{MAX_TOKEN}}}\Z"

TokenText = Annotated[str, msgspec.Meta(pattern=_TOKEN)]
"""Text that can travel as a token: visible ASCII, so that no platform's token can add a header of its own."""


def parse_secret(text: str) -> str:
    """The secret in the text of a file or an environment variable: without white space around it.

    A secret that does begin or end with white space is written as a JSON string, in double quotes, as `format_secret`
    does; quotes around any other are part of it. A byte order mark never is. The result may be empty.
    """
    secret = text.lstrip("\ufeff").strip()
    if secret.startswith('"'):
        try:
            quoted = msgspec.json.decode(secret, type=str)
        except (msgspec.DecodeError, UnicodeEncodeError):
            return secret
        if parse_secret(quoted) != quoted:
            return quoted
    return secret


def format_secret(secret: str) -> str:
    """The text that `parse_secret` reads as this secret."""
    return secret if parse_secret(secret) == secret else msgspec.json.encode(secret).decode()


class RedactedRepr:
    """What holds a secret or a user's id, and whose `repr` therefore says no more than what it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class Secret(RedactedRepr):
    """Text that must never be written: `repr` and `str` hide it, `reveal()` hands it to the wire.

    Two are equal if their texts are, which takes as long to find out wherever they differ.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Raise ValueError where `text` can't be written as UTF-8: an environment may hold any bytes."""
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("expected text in UTF-8") from None
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)


class Token(Secret):
    """A secret that travels in a header: visible ASCII, at most `MAX_TOKEN` characters."""

    __slots__ = ()

    def __init__(self, text: str) -> None:
        """Raise ValueError where `text` can't travel as it is."""
        if not re.match(_TOKEN, text):
            raise ValueError(f"expected a token: 1 to {MAX_TOKEN} visible ASCII characters, without spaces")
        super().__init__(text)
