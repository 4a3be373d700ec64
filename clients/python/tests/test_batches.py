"""Lookups of one turn of the event loop: which leave together, and what happens if some are cancelled."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from connection_gateway import AsyncGateway, Connection, UnexpectedAnswer

from tests.clients.driver import CONNECTION
from tests.clients.scripted_server import ScriptedServer, response, scripted

ONE = response(200, msgspec.json.encode(CONNECTION))


def two_of(line: str, _head: bytes) -> bytes:
    """A connection, or results for two users."""
    if line.startswith("GET"):
        return ONE
    return response(200, msgspec.json.encode({"results": [{"connection": CONNECTION}] * 2}))


def methods(server: ScriptedServer) -> list[str]:
    return [line.partition(" ")[0] for line in server.received.elements()]


@pytest.mark.parametrize("cancelled", [0, 1])
async def test_one_that_is_cancelled_takes_nobody_along(cancelled: int) -> None:
    async with scripted(two_of) as server, AsyncGateway(server.url) as gateway:
        lookups = [asyncio.ensure_future(gateway.lookup("acme", user)) for user in (1, 2)]
        await asyncio.sleep(0)  # they have begun, and none has left
        lookups[cancelled].cancel()
        found = await asyncio.gather(*lookups, return_exceptions=True)
        assert isinstance(found[cancelled], asyncio.CancelledError)
        assert isinstance(found[1 - cancelled], Connection)
        assert methods(server) == ["POST"]


async def test_a_lone_one_that_is_cancelled_is_not_sent() -> None:
    async with scripted(two_of) as server, AsyncGateway(server.url) as gateway:
        lookup = asyncio.ensure_future(gateway.lookup("acme", 1))
        await asyncio.sleep(0)
        lookup.cancel()
        await asyncio.gather(lookup, return_exceptions=True)
        assert (await gateway.lookup("acme", 2)).user_id == "1"
        assert methods(server) == ["GET"]


async def test_views_are_never_asked_for_together() -> None:
    async with scripted(two_of) as server, AsyncGateway(server.url) as gateway:
        views = [gateway.on_behalf_of(acme=user) for user in (1, 2)]
        await asyncio.gather(*(view.lookup("acme", 3) for view in views))
        assert methods(server) == ["GET", "GET"]


async def test_what_fails_for_all_is_raised_by_each() -> None:
    async with scripted(lambda *_: response(502, b"<html>")) as server, AsyncGateway(server.url) as gateway:
        found = await asyncio.gather(*(gateway.lookup("acme", user) for user in (1, 2)), return_exceptions=True)
        assert [type(each) for each in found] == [UnexpectedAnswer] * 2
