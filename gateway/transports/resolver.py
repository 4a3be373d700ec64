"""Finds the addresses of a platform's names, in threads that no other platform needs.

The system's resolver blocks, for as long as it likes: an event loop has a few threads for it, and names whose servers
are silent would take all of them. Here each name has at most one thread, which ends with its lookup.
"""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Callable
from typing import Final, NamedTuple

from adapters.daemon_thread import DaemonThread
from adapters.loop import OneLoop

FRESH_FOR: Final = 10.0
"""Seconds for which addresses are used without asking for them again."""
REFRESH_WITHIN: Final = 0.5
"""Seconds that a known name waits for being resolved anew, before the addresses that are known are used."""


TIMEOUT: Final = 1.0
"""Seconds that a name may take which nothing is known of. Its lookup goes on, for those who come later."""


class Address(NamedTuple):
    family: int
    text: str


Lookup = Callable[[str], list[Address]]


def look_up(name: str) -> list[Address]:
    """The system's addresses of `name`, in its order. Blocks. Raises OSError."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(Address(family, str(where[0])) for family, _, _, _, where in found))


class _Name:
    """What is known of one name."""

    def __init__(self) -> None:
        self.addresses: list[Address] = []
        self.known_at = 0.0
        self.thread = DaemonThread()
        self.lookup: asyncio.Task[list[Address]] | None = None
        """under way"""
        self.begun_at = 0.0


class Resolver(OneLoop):
    """The addresses of a few names: those of one platform."""

    def __init__(self, look_up: Lookup = look_up) -> None:
        self._look_up = look_up
        self._names: dict[str, _Name] = {}

    async def addresses(self, name: str) -> list[Address]:
        """At least one. Those found before are good while newer ones can't be found, or not soon.

        Raises OSError for a name that was never found, or has been looked up for `TIMEOUT` seconds.
        """
        known = self._names.setdefault(name, _Name())
        if known.addresses and self._loop.time() < known.known_at + FRESH_FOR:
            return known.addresses
        lookup = known.lookup or self._begin(name, known)
        if not known.addresses:
            try:
                async with asyncio.timeout_at(known.begun_at + TIMEOUT):
                    return await asyncio.shield(lookup)
            except TimeoutError:
                raise OSError("the name was not resolved in time") from None
        await asyncio.wait([lookup], timeout=REFRESH_WITHIN)
        return known.addresses

    async def aclose(self) -> None:
        """Wait for nothing: a lookup that hangs is left to its thread."""
        lookups = [each.lookup for each in self._names.values() if each.lookup is not None]
        for lookup in lookups:
            lookup.cancel()
        await asyncio.gather(*lookups, return_exceptions=True)

    def _begin(self, name: str, known: _Name) -> asyncio.Task[list[Address]]:
        known.begun_at = self._loop.time()
        known.lookup = lookup = self._loop.create_task(self._ask(name, known))
        lookup.add_done_callback(functools.partial(_end, known))
        return lookup

    async def _ask(self, name: str, known: _Name) -> list[Address]:
        found = await asyncio.wrap_future(known.thread.submit(self._look_up, name))
        if not found:
            raise OSError("the name has no address")
        known.addresses, known.known_at = found, self._loop.time()
        return found


def _end(known: _Name, lookup: asyncio.Task[list[Address]]) -> None:
    known.lookup = None
    if not lookup.cancelled():
        lookup.exception()  # whoever waited was told; perhaps nobody did
