"""Where the tokens of sessions are kept for all replicas, if they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from adapters.contract import Viewer
from adapters.secret import Secret


class StoredToken(NamedTuple):
    """A token, and whether this replica has just got it from a login."""

    token: Secret
    is_new: bool


class Spendable(Protocol):
    """A refresh token, which a login may replace."""

    def reveal(self) -> str: ...

    def replace(self, text: str) -> None: ...


class TokenStore(Protocol):
    """The tokens of one platform under one credential."""

    async def token(
        self, viewer: Viewer, refused: Secret | None, log_in: Callable[[Viewer], Awaitable[Secret]]
    ) -> StoredToken:
        """The viewer's token: that which another replica has got, or a new one.

        Never `refused`, which the platform does not take any more. Raises what `log_in` raises.
        """
        ...

    def spending(self, token: Spendable) -> AbstractAsyncContextManager[None]:
        """Within it no other process uses the refresh token, and `token` is the newest.

        Raises OwnCredentialRefused where that can't be had now. If `token` is replaced, the others get the new one.
        """
        ...
