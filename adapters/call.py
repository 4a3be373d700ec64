"""What adapters and the transports under them agree on about one call.

Among a request's extensions are `deadline` (`loop.time()`, by which there is an answer or a failure), `safe` (whether
asking twice does no more than asking once), `viewer` (None for a login) and, where it may be long, `max_body`
(bytes). A failure is one of httpx's, and says whether the request had left.
"""

from __future__ import annotations

from typing import Final

import httpx

BEFORE_IT_LEFT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""Failures after which the platform has certainly not seen the request. After any other it may have."""
