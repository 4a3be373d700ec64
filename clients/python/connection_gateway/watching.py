"""Watching: one stream after another, each of which begins with every state, as one sequence of changes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Iterator
from typing import Final

import httpx
import msgspec

from connection_gateway.errors import UnexpectedAnswer
from connection_gateway.models import Connection
from connection_gateway.problems import Details, Problem, problem

SILENCE: Final = 45.0
"""Seconds without a byte after which a stream is taken for lost: the gateway sends a comment every 15."""
PAUSE: Final = 2.0
"""Seconds before the first attempt to connect again; twice as long after each that fails."""
LONGEST_PAUSE: Final = 30.0


class Changes:
    """Parses streams, and leaves out what was returned before."""

    def __init__(self) -> None:
        self._returned: dict[tuple[str | None, str | None], Connection | str] = {}
        self._rest = b""

    def begin(self) -> None:
        """Another stream begins."""
        self._rest = b""

    def feed(self, part: bytes) -> Iterator[Connection | Problem]:
        """What is new in the next bytes of the stream."""
        *events, self._rest = (self._rest + part).split(b"\n\n")
        for event in events:
            fields = dict(line.partition(b": ")[::2] for line in event.split(b"\n"))
            match fields.get(b"event"):
                case b"connection":
                    connection = msgspec.json.decode(fields[b"data"], type=Connection)
                    content = msgspec.structs.replace(connection, as_of="")
                    if self._is_new(connection.platform, connection.user_id, content):
                        yield connection
                case b"problem":
                    found = problem(msgspec.json.decode(fields[b"data"], type=Details))
                    if self._is_new(found.platform, found.user_id, found.slug):
                        yield found

    def _is_new(self, platform: str | None, user_id: str | None, content: Connection | str) -> bool:
        before, self._returned[platform, user_id] = self._returned.get((platform, user_id)), content
        return before != content


async def watch(
    http: httpx.AsyncClient, url: str, headers: dict[str, str], body: bytes
) -> AsyncGenerator[Connection | Problem]:
    """Connects again whenever a stream ends. Raises the Problem of a call that is refused for good."""
    changes = Changes()
    pause = PAUSE
    headers = {**headers, "content-type": "application/json"}
    timeout = httpx.Timeout(SILENCE, connect=LONGEST_PAUSE)
    while True:
        wait = 0.0
        try:
            async with http.stream("POST", url, content=body, headers=headers, timeout=timeout) as response:
                if response.status_code == 200:
                    changes.begin()
                    pause = PAUSE
                    async for part in response.aiter_raw():
                        for change in changes.feed(part):
                            yield change
                else:
                    wait = _wait(response, await response.aread())
        except httpx.TransportError:
            pass
        except msgspec.MsgspecError as error:
            raise UnexpectedAnswer(
                f"an event can't be read: is this client as new as the gateway? ({error})"
            ) from None
        await asyncio.sleep(max(wait, pause * random.uniform(0.5, 1.0)))  # noqa: S311
        pause = min(2 * pause, LONGEST_PAUSE)


def _wait(response: httpx.Response, body: bytes) -> float:
    """Seconds that the gateway asks to wait. Raises the Problem that does not go away by waiting."""
    try:
        found = problem(msgspec.json.decode(body, type=Details))
    except msgspec.MsgspecError:
        if response.status_code in {502, 503, 504}:  # of a proxy
            return 0.0
        raise UnexpectedAnswer(f"an answer with status {response.status_code} can't be read") from None
    if not found.retryable:
        raise found
    return float(found.retry_after or 0)
