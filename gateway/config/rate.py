"""`rate` of `[[callers]]`: how many requests a caller may make in which time."""

from __future__ import annotations

import re
from typing import Final, Self

_RATE: Final = re.compile(r"([1-9][0-9]{0,5})/([smh])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


class Rate(str):
    """Requests per second, minute or hour: `100/s`, `600/m`, `5000/h`."""

    __slots__ = ("requests", "seconds")

    requests: int
    seconds: int

    def __new__(cls, text: str) -> Self:
        """Raise ValueError where `text` is no such rate."""
        found = _RATE.fullmatch(text)
        if found is None:
            raise ValueError('expected 1 to 999999 requests per s, m or h, such as "100/s"')
        rate = super().__new__(cls, text)
        rate.requests, rate.seconds = int(found[1]), _SECONDS[found[2]]
        return rate
