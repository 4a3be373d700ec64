"""JSON that has one reading only, for documents that decide who somebody is."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def parse_strict_json(text: str) -> Any:
    """Decode a JSON document. Raises ValueError, also for a member that occurs twice, NaN and deep nesting.

    Other readers take the first of two members with one name, or the last: what a signer checked and what is acted
    on here would then be two different things.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique_members, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member occurs twice")
    return members


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")
