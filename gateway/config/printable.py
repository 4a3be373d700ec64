"""Makes text from elsewhere safe for a terminal: no control characters, no line breaks, no text direction changes."""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Final

_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories: control, format (bidirectional marks too), surrogates, without a meaning, line ends."""
LONGEST_NAME: Final = 64
_JSON_LINES: Final = re.compile(r"([^\n]+)")


def printable(text: str) -> str:
    r"""With escapes (`\x1b`, `\u202e`) for all control and format characters, in one line therefore."""
    return "".join(map(_escaped, text))


def printable_json(document: bytes) -> bytes:
    r"""The same document: inside its strings the same characters are written as JSON escapes."""
    if document.isascii() and b"\x7f" not in document:
        return document
    return _JSON_LINES.sub(lambda line: "".join(map(_json_escaped, line[0])), document.decode()).encode()


def shortened(name: str) -> str:
    """At most `LONGEST_NAME` characters of it, and a mark where that is not all."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def encodable(text: str, *, err: bool) -> str:
    """With escapes for what the encoding of standard output (or standard error) does not have."""
    encoding = getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _is_unsafe(character: str) -> bool:
    return unicodedata.category(character) in _UNSAFE


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode() if _is_unsafe(character) else character


def _json_escaped(character: str) -> str:
    """Beyond 16 bits JSON wants two escapes, as UTF-16 has it."""
    if not _is_unsafe(character):
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[place] << 8 | units[place + 1]:04x}" for place in range(0, len(units), 2))
