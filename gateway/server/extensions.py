"""ASGI extensions that our server offers to the app. Under any other server the app does without."""

from __future__ import annotations

import asyncio
from typing import Final

MAX_BODY: Final = 256 * 1024
"""Bytes of a body that is taken."""
READY: Final = "connection_gateway.ready"
"""An extension, and the type of its message: a whole answer in one.

`status`; `fixed`, header lines as they are sent; `headers`, names and values of more of them, as in ASGI; `body`.
Whoever sends it answers for it that no header contains a line's end. `content-length` is added.
"""
REFUSED: Final = "connection_gateway.refused"
"""In the scope of what is no request at all: why. It has neither method nor path nor headers."""
LET_IN: Final = "connection_gateway.let_in"
"""In the scope while no request on this connection has been let in to the API: called when this one is."""


async def in_a_task() -> None:
    """From here on there is a task. What has a timeout needs one, and what starts others or may be cancelled.

    Before that only futures may be waited for.
    """
    await asyncio.sleep(0)
