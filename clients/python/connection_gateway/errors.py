"""The errors of this client, other than the problems that the gateway answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connection_gateway.problems import Problem


class GatewayError(Exception):
    """Base of everything that this client raises, other than ValueError for wrong arguments."""


class GatewayUnreachable(GatewayError):
    """No answer came. `sent` tells whether the request may have reached the gateway."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class UnexpectedAnswer(GatewayError):
    """The answer is not the gateway's: a proxy's error page, or a gateway newer than this client."""


class IncompleteList(GatewayError):
    """Raised at the end of a list of which some platforms failed to answer."""

    def __init__(self, problems: list[Problem]) -> None:
        names = ", ".join(sorted({each.platform or "a platform" for each in problems}))
        super().__init__(f"the list lacks what {names} could not tell: see .problems")
        self.problems = problems
