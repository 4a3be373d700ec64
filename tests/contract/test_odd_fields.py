"""One field of an answer at a time has a value of the wrong kind: the result is a connection or a PlatformError."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx

from adapters.contract import Action, Connection, PlatformError, Status
from tests.contract.dialects import Platform
from tests.wire import InProcess

WRONG: tuple[Any, ...] = (None, "x", "", -1, 2**70, 1.5, True, [], {})


def changed(value: Any) -> Iterator[Any]:
    """Each copy of `value` in which one field, at any depth, is wrong or missing."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {other: each for other, each in value.items() if other != key}
            for replacement in (*WRONG, *changed(inner)):
                yield {**value, key: replacement}
    elif isinstance(value, list) and value:
        for replacement in (*WRONG, *changed(value[0])):
            yield [replacement, *value[1:]]


class Changing(httpx.AsyncBaseTransport):
    """Passes requests to the simulator, and replaces the body of each answer about the user by `body`, if it is set.

    `last` is the body that the simulator sent.
    """

    def __init__(self, platform: Platform) -> None:
        self.body: bytes | None = None
        self.last = b""
        self._inner = InProcess(platform.simulator)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if not request.extensions.get("users"):
            return response
        self.last = await response.aread()
        if self.body is None:
            return response
        return httpx.Response(response.status_code, content=self.body, headers={"Content-Type": "application/json"})


async def outcome(call: Any) -> object:
    try:
        return await call
    except PlatformError as error:
        return error


async def test_a_wrong_field_of_a_lookup_is_a_connection_or_a_platform_error(platform: Platform) -> None:
    wire = Changing(platform)
    adapter = platform.connect(wire)
    for number in (101, 102):
        wire.body = None
        await platform.read(platform.id(number), adapter)
        bodies = [json.dumps(body).encode() for body in changed(json.loads(wire.last))]
        assert len(bodies) > len(WRONG)
        for wire.body in bodies:
            found = await outcome(platform.read(platform.id(number), adapter))
            assert isinstance(found, Connection | PlatformError), wire.body


async def test_a_wrong_field_of_an_actions_answer_may_have_acted(platform: Platform) -> None:
    wire = Changing(platform)
    adapter = platform.connect(wire)
    platform.set(platform.user, Status.PENDING_INCOMING)
    wire.body = None
    await (await platform.ready(Action.ACCEPT, adapter))()
    for body in changed(json.loads(wire.last)):
        platform.set(platform.user, Status.PENDING_INCOMING)
        wire.body = None
        act = await platform.ready(Action.ACCEPT, adapter)
        wire.body = json.dumps(body).encode()
        found = await outcome(act())
        if isinstance(found, PlatformError):
            assert found.may_have_acted, body
        else:
            assert isinstance(found, Connection)
