"""What is wrong with a document that does not fit its type, said without quoting anything of it."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_SAFE_TO_QUOTE: Final = re.compile(r"Expected `|Object missing required field `")
_PLACE: Final = re.compile(r" - at `\$\.?([^`]*)`\Z")


def mismatch(error: msgspec.ValidationError, otherwise: str) -> tuple[str, str]:
    """Where (`users[3].user_id`, empty for all of it), and what: `otherwise` where msgspec's text may quote."""
    text = str(error)
    place = _PLACE.search(text)
    what = _PLACE.sub("", text) if _SAFE_TO_QUOTE.match(text) else otherwise
    return "" if place is None else place[1], f"{what[0].lower()}{what[1:]}"
