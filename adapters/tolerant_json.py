"""Reads JSON that a strict decoder rejects, although nothing is wrong with the part of it that anybody needs."""

from __future__ import annotations

import json
import re
import sys
from typing import Final

LONGEST: Final = 512 * 1024
"""Bytes of a document that is read in this way: it takes up to 40 ms, and nothing else runs meanwhile."""
_lone_surrogates: Final = re.compile("[\ud800-\udfff]")


def repaired(document: bytes) -> bytes | None:
    """The same document as strict JSON. None where it is too long, can't be read as JSON at all, or has a number
    besides that is larger than any float.

    Servers write a lone surrogate (`"\\ud800"`), `NaN` or `Infinity` because their own JSON library does so; bytes
    that are not UTF-8, raw control characters and a byte order mark come from databases and templates. Text that is
    not Unicode becomes U+FFFD, which is in no word, token or time that is ever compared. What is not a number becomes
    the largest float, which no field that is read can hold. So what was wrong stays wrong wherever it is read.
    """
    if len(document) > LONGEST:
        return None
    try:
        value = json.loads(document.decode("utf-8-sig", "replace"), strict=False, parse_constant=_no_number)
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return _lone_surrogates.sub("\ufffd", text).encode()


def _no_number(_word: str) -> float:
    return sys.float_info.max
