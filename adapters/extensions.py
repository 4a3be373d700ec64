"""What adapters and the transports under them agree on about one call.

Among a request's extensions are `begun` and `deadline` (`loop.time()`; by the latter there is an answer or a
failure), `safe` (whether asking twice does no more than asking once), `acts` (true for the call that carries out an
action), `viewer` (as whom it goes out, None for nobody
yet), `users` (the ids of those whom it is about) and, where an answer may be long, `max_body` (bytes). A failure is
one of httpx's, and says whether the request had left.
"""

from __future__ import annotations

from typing import Final

import httpx


class NameNotResolved(httpx.ConnectError):
    """The platform's name has no address that could be found, or not in time."""


class LocalShortage(httpx.ConnectError):
    """This machine had no room for another connection: it says nothing of the platform."""


class ProxyUnauthorized(httpx.ProxyError):
    """The proxy on the way to the platform wants credentials (407), and passed nothing on."""


BEFORE_IT_LEFT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""Failures after which the platform has certainly not seen the request. After any other it may have."""
