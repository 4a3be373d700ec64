"""What can be said of one watched user now."""

from __future__ import annotations

from typing import Self

import msgspec

from adapters.contract import PlatformError
from adapters.secret import RedactedRepr
from gateway.platforms.lookup.lookups import Reading
from gateway.problems.problem import Problem, as_problem


class UserState(RedactedRepr, msgspec.Struct, frozen=True, gc=False):
    """A connection in JSON, or why there is none. Two states with the same tag differ in `as_of` at most."""

    tag: bytes
    found: bytes | PlatformError | Problem

    @classmethod
    def of(cls, found: Reading | PlatformError | Problem) -> Self:
        if isinstance(found, Reading):
            return cls(found.cached.etag(found.body), found.body)
        return cls(as_problem(found).kind.slug.encode(), found)
