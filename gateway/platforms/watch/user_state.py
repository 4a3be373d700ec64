"""What can be said of one watched user now."""

from __future__ import annotations

from typing import Self

import msgspec

from adapters.contract import PlatformError
from adapters.secret import RedactedRepr
from gateway.platforms.lookup.encoded import differ_in_time_only
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

    def is_of(self, body: bytes) -> bool:
        """Whether this is the same connection: it saves hashing it, for the tag."""
        return isinstance(self.found, bytes) and differ_in_time_only(self.found, body)
