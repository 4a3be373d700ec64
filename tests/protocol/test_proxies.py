"""Behind nginx and HAProxy, which share one connection to the gateway among their callers: one request is one request."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.server.protocol import Protocol
from tests.gateways import Gateway, key_of
from tests.protocol.corpus import Case, cases, trailers, upgrades
from tests.protocol.framings import connections, lengths, upgrades_with_broken_bodies
from tests.protocol.proxies import available, proxied
from tests.protocol.served import listen, served

SMUGGLING = [case for case in cases() if re.match("malformed: (length|coding|b'|chunks)", case.name)]
SMUGGLING += [*upgrades(), *trailers(), *lengths(), *connections(), *list(upgrades_with_broken_bodies())[::5]]
HIDING = [case for case in SMUGGLING if case.statuses is not None]
"""Those in which the action stands in a body: behind one, a proxy with a key may rightly ask for it."""
NEXT = b"GET /v1/connections/acme/%d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
AT_ONCE = 8
PROXIES = [pytest.param(name, marks=available(name)) for name in ("nginx", "haproxy")]


async def send(port: int, sent: bytes) -> bytes:
    """Whatever comes until the other side closes, or has been silent for a while."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    whole = b""
    try:
        writer.write(sent)
        with contextlib.suppress(OSError):
            while more := await asyncio.wait_for(reader.read(65536), 0.15 if whole else 0.4):
                whole += more
    except TimeoutError:
        pass
    finally:
        writer.close()
    return whole


async def ask(port: int, user: int) -> bytes:
    """As another client of the same proxy: all of its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(NEXT % user)
        return await asyncio.wait_for(reader.read(), 30)
    finally:
        writer.close()


@asynccontextmanager
async def behind(name: str, family: str, port: int, folder: Path, key: str | None) -> AsyncIterator[Gateway]:
    """A gateway on a socket of this kind, behind this proxy."""
    listener = listen(family, folder)
    host = listener.getsockname()
    upstream = f"127.0.0.1:{host[1]}" if family == "tcp" else f"unix:{host}"
    async with served(listener, header_timeout=1.0) as gateway, proxied(name, upstream, port, folder, key):
        yield gateway


@pytest.mark.parametrize("family", ["tcp", "unix"])
@pytest.mark.parametrize("name", PROXIES)
@pytest.mark.parametrize("has_key", [True, False], ids=["the proxy's key", "no key"])
async def test_nothing_that_is_hidden_acts_or_is_answered_to_others(
    name: str, family: str, has_key: bool, port: int, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    """With a key of the proxy's, which all requests are given, and with none, whatever they bring themselves.

    Each is tried over one of the two kinds of sockets. Somebody else asks while each is under way, and again right behind it.
    """
    attacks = (HIDING if has_key else SMUGGLING)[family == "unix" :: 2]
    wrong: list[str] = []
    async with behind(name, family, port, tmp_path, key_of("web") if has_key else None) as gateway:
        turn = asyncio.Semaphore(AT_ONCE)

        async def one_by_one(number: int, case: Case) -> None:
            async with turn:
                beside = asyncio.create_task(ask(port, 1000 + number))
                await send(port, case.sent)
                answers = {1000 + number: await beside, 5000 + number: await ask(port, 5000 + number)}
                for user, answer in answers.items():
                    expected = b'"user_id":"%d"' % user if has_key else b"/problems/invalid-api-key"
                    if answer.count(b"HTTP/1.1 ") != 1 or expected not in answer:
                        wrong.append(f"{case.name}: {answer[:300]!r}")

        await asyncio.gather(*(one_by_one(number, case) for number, case in enumerate(attacks)))
        assert not wrong, "\n".join(wrong[:10])
        assert gateway.acme.platform.connection(1, 102) == "PENDING_INCOMING"
        assert not [path for path in gateway.acme.calls.by_path if "/accept" in path]
        if not has_key:
            assert gateway.calls == 0
    tell(f"behind {name}, {family}: {len(attacks)} requests, each followed by somebody else's")


@pytest.mark.parametrize("name", PROXIES)
async def test_attacks_arrive_and_the_connection_is_shared(
    name: str, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the test above would be about nothing."""
    connections: list[object] = []
    original = Protocol.connection_made

    def counted(protocol: Protocol, transport: asyncio.BaseTransport) -> None:
        connections.append(protocol)
        original(protocol, transport)

    monkeypatch.setattr(Protocol, "connection_made", counted)
    async with behind(name, "tcp", port, tmp_path, key_of("web")) as gateway:
        before = len(gateway.lines)
        offers = [case for case in upgrades() if re.match(".*, (hidden in )?a length", case.name)]
        arriving = [case for case in offers if not case.name.startswith("CONNECT")]
        for case in offers:
            await send(port, case.sent)
            await ask(port, 103)
        lines = [line for line in gateway.lines[before:] if '"route":"/v1/' in line]
        assert sum('"route":"/v1/lookup"' in line for line in lines) == len(arriving)
        assert len(connections) < len(lines)
