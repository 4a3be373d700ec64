"""What a simulated platform does wrong, and for how many calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

HeaderText = Annotated[str, msgspec.Meta(pattern=r"^[ -~]*\Z")]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to misbehave, for the next `times` calls (None: all) whose path contains `path`, with this `method`.

    What a faulted call asks for is never done, unless `apply` says so, or the fault is nothing but a `delay` and
    the caller is still there at its end: that platform is only slow. A body of text is sent as it is, any other as
    JSON; without one the platform's own error body is sent.
    """

    path: str = ""
    method: HeaderText = ""
    """empty: any"""
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    delay: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """seconds before anything else happens"""
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None
    retry_after: int | HeaderText | None = None
    """the header's value; without a `status` the answer is 429"""
    body: Any = msgspec.UNSET
    content_type: HeaderText = "application/json"
    drop: bool = False
    """the connection is closed without an answer"""
    expire_sessions: bool = False
    """at once, when the fault is set; the token `demo` stays valid"""
    apply: bool = False
    """what was asked is done all the same, at once; only its answer is late or spoilt"""

    @property
    def spoils_the_answer(self) -> bool:
        return self.drop or self.status is not None or self.retry_after is not None or self.body is not msgspec.UNSET

    def answer(self, error: Callable[[int], dict[str, Any]]) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body; `error` makes the platform's own error body for a status."""
        status = self.status or (200 if self.retry_after is None else 429)
        headers = {"content-type": self.content_type}
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        body = error(status) if self.body is msgspec.UNSET else self.body
        return status, headers, body.encode() if isinstance(body, str) else msgspec.json.encode(body)


class Faults:
    """The faults in force. Setting new ones replaces them all."""

    def __init__(self) -> None:
        self._left: list[tuple[Fault, int | None]] = []

    def set(self, *faults: Fault) -> None:
        self._left = [(fault, fault.times) for fault in faults]

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault in force for this call; one call of it is used up."""
        for place, (fault, left) in enumerate(self._left):
            if fault.path in path and fault.method in {"", method}:
                if left == 1:
                    del self._left[place]
                elif left is not None:
                    self._left[place] = (fault, left - 1)
                return fault
        return None
