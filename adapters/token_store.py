"""Where the tokens of sessions are kept for all replicas, if they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from adapters.contract import Viewer
from adapters.secret import Secret


class StoredToken(NamedTuple):
    """A token, and whether this replica has just got it from a login."""

    token: Secret
    is_new: bool


class TokenStore(Protocol):
    """The tokens of one platform under one credential."""

    async def token(
        self, viewer: Viewer, refused: Secret | None, log_in: Callable[[Viewer], Awaitable[Secret]]
    ) -> StoredToken:
        """The viewer's token: that which another replica has got, or a new one.

        Never `refused`, which the platform does not take any more. Raises what `log_in` raises.
        """
        ...
