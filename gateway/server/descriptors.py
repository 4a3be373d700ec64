"""Raises the limit of file descriptors, and derives the limit of connections from it."""

from __future__ import annotations

import resource
from typing import Final

from gateway.config.settings import Settings

ENOUGH: Final = 65_536
"""Descriptors beyond which the limit is not raised: an event loop does not look after more."""
OTHERS: Final = 64
"""Descriptors for what is neither a caller nor a platform: files, the log, name servers."""


def raise_limit() -> None:
    """Raise the soft limit of this process to the hard one, or to `ENOUGH`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def max_connections(settings: Settings) -> int:
    """Connections of callers that leave enough for those to platforms; at least half of what there is."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = ENOUGH if soft == resource.RLIM_INFINITY else min(soft, ENOUGH)
    to_platforms = sum(each.max_calls for each in settings.platforms.values())
    return max(limit - to_platforms - OTHERS, limit // 2)
