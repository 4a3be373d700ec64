"""A request's headers, read once for all who look at them."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from adapters.secret import Quiet
from gateway.problems import Kind, Problem


class Given(Quiet):
    """By name, in any case. A name that was sent more than once is rare, and costs more."""

    __slots__ = ("_all", "_last")

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        """`raw` has names in lower case, as ASGI gives them."""
        self._all = list(raw)
        self._last = dict(self._all)

    def __contains__(self, name: str) -> bool:
        return _raw(name) in self._last

    def last(self, name: str) -> str | None:
        """The value that was sent last; None where there is none."""
        value = self._last.get(_raw(name))
        return None if value is None else value.decode("latin-1")

    def every(self, name: str) -> list[str]:
        """All values, in the order in which they were sent."""
        raw = _raw(name)
        if raw not in self._last:
            return []
        return [value.decode("latin-1") for each, value in self._all if each == raw]

    def once(self, name: str) -> str | None:
        """The value of a header that was sent exactly once."""
        if len(self._last) == len(self._all):
            return self.last(name)
        values = self.every(name)
        return values[0] if len(values) == 1 else None

    def single(self, name: str) -> str | None:
        """The one value, None where there is none; Problem `invalid-request` if it was sent with several."""
        value = self.last(name)
        if value is not None and len(self._last) != len(self._all) and len(set(self.every(name))) > 1:
            raise Problem(Kind.INVALID_REQUEST, f"{name}: sent more than once with different values")
        return value


@functools.cache
def _raw(name: str) -> bytes:
    """As ASGI has it. The names are those in our own code, so there are few."""
    return name.lower().encode("latin-1")
