"""User ids: opaque text in the API, and whatever an adapter keys its users by inside.

Each kind of platform declares the grammar of its ids as `UserIds`. Text that is no id there gets no further than the
parser: it reaches no URL, no log and no key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeAlias

import msgspec

UserKey: TypeAlias = Any
"""What an adapter keys a user by: hashable, ordered among its like, and `str()` of it is the id as the API has it."""

USER_ID: Final = "[A-Za-z0-9_~@][A-Za-z0-9_~@.:+-]{0,127}"
"""A regular expression, without its ends: the text that may be an id on some platform.

It needs no escaping in a path, is no path segment of dots, and has none of the characters that separate ids in a
header or in the configuration.
"""
_USER_ID: Final = re.compile(USER_ID)
MAX_USER_ID: Final = 2**63 - 1
_INT64: Final = re.compile(r"[1-9][0-9]{0,18}")


class UserIds(msgspec.Struct, frozen=True):
    """The grammar of the user ids of one kind of platform."""

    pattern: str
    """a regular expression as JSON Schema has it, which no other text matches"""
    parse: Callable[[str], UserKey]
    """from an id to its key. Raises ValueError, which says what was expected and does not quote the text. No two ids
    have the same key: `str(parse(text)) == text`
    """
    write: Callable[[UserKey], str] = str
    """from a key to what stands for it in a URL, escaped"""


def parse_text(text: str) -> str:
    """Check that this may be a user id on some platform. Raises ValueError."""
    if not _USER_ID.fullmatch(text):
        raise ValueError("expected a user id: 1 to 128 of A-Z a-z 0-9 _ ~ @ . : + -, the first none of . : + -")
    return text


def parse_int64(text: str) -> int:
    """The number that this id is. Raises ValueError."""
    if not _INT64.fullmatch(text) or (user_id := int(text)) > MAX_USER_ID:
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


INT64: Final = UserIds(pattern_up_to(MAX_USER_ID), parse_int64)
"""Positive 64-bit numbers in decimal digits."""
ANY_KIND: Final = UserIds(f"^{USER_ID}$", parse_text)
"""The ids of a platform that is not known: any text that may be one."""

UserId = Annotated[
    str,
    msgspec.Meta(
        description="A user of a platform, as that platform names its users. Opaque: compare it, and take it apart"
        " nowhere.",
        examples=["102"],
        extra_json_schema={"pattern": ANY_KIND.pattern},
    ),
]
"""As JSON has it. What is wrong with one is said by the platform's parser, not by a decoder."""


def parse_for(platforms: Mapping[str, UserIds], texts: set[str]) -> dict[str, tuple[UserKey, ...]]:
    """The keys of these ids on each platform, in ascending order, without those that are no ids there.

    Raises ValueError for text that is an id on none of them.
    """
    keys: dict[str, list[UserKey]] = {name: [] for name in platforms}
    for text in texts:
        wrong: ValueError | None = None
        is_id = False
        parse_text(text)
        for name, user_ids in platforms.items():
            try:
                keys[name].append(user_ids.parse(text))
                is_id = True
            except ValueError as error:
                wrong = error
        if wrong is not None and not is_id:
            raise wrong
    return {name: tuple(sorted(found)) for name, found in keys.items()}
