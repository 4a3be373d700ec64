"""What schemathesis can't know from the document. It imports this by the name that SCHEMATHESIS_HOOKS gives."""

from __future__ import annotations

import re
import zlib
from typing import Any

import schemathesis

PLATFORMS = ("acme", "club")
"""those of the tests' gateway; club alone offers `cancel`"""
PLATFORM = re.compile("[a-z][a-z0-9-]{0,31}")
USER_ID = re.compile("[A-Za-z0-9_~@][A-Za-z0-9_~@.:+-]{0,127}")


@schemathesis.hook
def map_path_parameters(_context: Any, found: dict[str, Any] | None) -> dict[str, Any] | None:
    """A name that could be a platform's is one, and an id that some platform could have is one of these platforms'.

    Otherwise nothing behind them would ever be asked.
    """
    if found and PLATFORM.fullmatch(str(found.get("platform", ""))):
        found["platform"] = "club" if found.get("action") == "cancel" else PLATFORMS[len(found["platform"]) % 2]
        if USER_ID.fullmatch(str(found.get("user_id", ""))):
            found["user_id"] = str(1 + zlib.crc32(found["user_id"].encode()))
    return found


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Leave out what is well-formed and means nothing here, and what HTTP says is to be ignored."""
    headers = {name.lower() for name in case.headers or ()}
    is_out_of_nowhere = "cursor" in (case.query or {})
    is_on_behalf_where_nobody_is_named = "x-on-behalf-of" in headers
    is_a_header_of_its_own = "x-schemathesis-unknown-property" in headers
    return not (is_out_of_nowhere or is_on_behalf_where_nobody_is_named or is_a_header_of_its_own)
