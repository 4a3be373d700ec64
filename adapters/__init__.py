"""What the platforms say: one folder per adapter, the same files in each. This is the list of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import httpx

from adapters import buddypress, selfcommunity, symphony
from adapters.contract import Adapter
from adapters.refresh_token import RefreshTokens
from adapters.settings import PlatformSettings
from adapters.token_store import TokenStore
from adapters.upstream import Upstream
from adapters.user_ids import UserIds


class AdapterClass(Protocol):
    """The class of an adapter, which says what is the same for all platforms of its kind."""

    @property
    def USER_IDS(self) -> UserIds: ...  # noqa: N802  as the class has it

    def __call__(self, settings: Any, upstream: Upstream) -> Adapter: ...


ADAPTERS: Final[dict[type[PlatformSettings], AdapterClass]] = {
    symphony.Settings: symphony.SymphonyAdapter,
    selfcommunity.Settings: selfcommunity.SelfCommunityAdapter,
    buddypress.Settings: buddypress.BuddyPressAdapter,
}
"""The settings of each adapter, and what they configure."""


def adapter_name(settings: PlatformSettings | type[PlatformSettings]) -> str:
    """The word that folder, settings and documentation share: `symphony`."""
    return str(settings.__struct_config__.tag)


def user_ids(settings: PlatformSettings) -> UserIds:
    """The grammar of user ids on the platform that `settings` configure."""
    return ADAPTERS[type(settings)].USER_IDS


def connect(
    platform: str,
    settings: PlatformSettings,
    transport: httpx.AsyncBaseTransport,
    *,
    timeout: float,
    warn: Callable[[str], None] = lambda _event: None,
    logged_in: Callable[[str], None] = lambda _outcome: None,
    refresh_tokens: RefreshTokens | None = None,
    tokens: TokenStore | None = None,
) -> Adapter:
    """The adapter that `settings` configure, speaking over `transport`; each call may take `timeout` seconds.

    `warn` is told, in a word, what the operator should know beside the answers; it may be called from any thread.
    `logged_in` is told how each login ended: `ok`, `refused` or `failed`. `refresh_tokens` are handed on from the
    adapter that this one replaces; `tokens` are shared with other processes.
    """
    upstream = Upstream(
        platform,
        transport,
        timeout=timeout,
        warn=warn,
        logged_in=logged_in,
        refresh_tokens=refresh_tokens,
        tokens=tokens,
    )
    return ADAPTERS[type(settings)](settings, upstream)
