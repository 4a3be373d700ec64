"""User ids: int64 on the platforms and in here, text in JSON, because JavaScript can't hold every int64."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec

MAX_USER_ID: Final = 2**63 - 1
_USER_ID: Final = re.compile(r"[1-9][0-9]{0,18}")


def parse_user_id(text: str) -> int:
    """The one way from text to a user id: ASCII digits, no leading zero, 1 to 2^63-1. Raises ValueError."""
    if not _USER_ID.fullmatch(text) or (user_id := int(text)) > MAX_USER_ID:
        raise ValueError(f"expected a user id: digits without a leading zero, from 1 to {MAX_USER_ID}")
    return user_id


def pattern_up_to(most: int) -> str:
    """A regular expression, as JSON Schema has it, for the numbers from 1 to `most` without a leading zero."""
    digits = str(most)
    shorter = [f"[1-9][0-9]{{0,{len(digits) - 2}}}"] if len(digits) > 1 else []
    as_long = []
    for place, digit in enumerate(digits):
        lowest, rest = "1" if place == 0 else "0", len(digits) - place - 1
        if digit > lowest:
            smaller = f"[{lowest}-{int(digit) - 1}]"
            as_long.append(digits[:place] + smaller + (f"[0-9]{{{rest}}}" if rest else ""))
    return f"^(?:{'|'.join([*shorter, *as_long, digits])})$"


UserId = Annotated[
    str,
    msgspec.Meta(
        description=f"A user of a platform: digits without a leading zero, from 1 to {MAX_USER_ID}.",
        examples=["102"],
        extra_json_schema={"pattern": pattern_up_to(MAX_USER_ID)},
    ),
]
"""As JSON has it. What is wrong with one is said by `parse_user_id`, not by a decoder."""
