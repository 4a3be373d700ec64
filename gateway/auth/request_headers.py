"""Request headers, parsed once for all who read them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final

from adapters.secret import RedactedRepr
from gateway.problems.problem import Kind, Problem

PAGE_HEADERS: Final = ("Host", "Origin", "Sec-Fetch-Site")
"""What a request says of the page that made it, and of the name that it called."""


class RequestHeaders(RedactedRepr, dict[bytes, bytes]):
    """A mapping from names in lower case to the value that was sent last. The methods take names in any case."""

    __slots__ = ("_all", "repeats")

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        """`raw` has names in lower case, as ASGI gives them."""
        super().__init__(raw)
        self._all = raw
        self.repeats = len(self) != len(raw)
        """whether a name was sent more than once, which is rare, and costs more"""

    def has(self, name: str) -> bool:
        return _raw(name) in self

    def last(self, name: str) -> str | None:
        """The value that was sent last; None where there is none."""
        value = self.get(_raw(name))
        return None if value is None else value.decode("latin-1")

    def every(self, name: str) -> list[str]:
        """All values, in the order in which they were sent."""
        raw = _raw(name)
        if raw not in self:
            return []
        return [value.decode("latin-1") for each, value in self._all if each == raw]

    def once(self, name: str) -> str | None:
        """The value of a header that was sent exactly once."""
        if not self.repeats:
            return self.last(name)
        values = self.every(name)
        return values[0] if len(values) == 1 else None

    def single(self, name: str) -> str | None:
        """The one value, None where there is none; Problem `invalid-request` if it was sent with several."""
        value = self.last(name)
        if value is not None and self.repeats and len(set(self.every(name))) > 1:
            raise Problem(Kind.INVALID_REQUEST, f"{name}: sent more than once with different values")
        return value


@functools.cache
def _raw(name: str) -> bytes:
    """As ASGI has it. The names are those in our own code, so there are few."""
    return name.lower().encode("latin-1")
