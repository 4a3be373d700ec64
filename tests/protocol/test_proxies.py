"""Behind nginx and HAProxy, which share one connection to the gateway among their callers: one request is one request."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.listening import listen_at, listen_on
from tests.gateways import key_of
from tests.protocol.corpus import Case, cases, trailers, upgrades
from tests.protocol.proxies import available, proxied
from tests.protocol.test_cuts import served

ALL = [case for case in cases() if re.match("malformed: (length|coding|b'|chunks)", case.name)]
ALL += [*upgrades(), *trailers()]
HIDING = [case for case in ALL if case.statuses is not None]
"""Those in which the action stands in a body: behind one, a proxy with a key may rightly ask for it."""
NEXT = b"GET /v1/connections/acme/%d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


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


@pytest.mark.parametrize("family", ["tcp", "unix"])
@pytest.mark.parametrize("name", [pytest.param(name, marks=available(name)) for name in ("nginx", "haproxy")])
@pytest.mark.parametrize("has_key", [True, False], ids=["the proxy's key", "no key"])
async def test_nothing_that_is_hidden_acts_or_is_answered_to_others(
    name: str, family: str, has_key: bool, port: int, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    """With a key of the proxy's, which all requests are given, and with none, whatever they bring themselves."""
    attacks = HIDING if has_key else ALL
    socket = str(tmp_path / "gateway.sock")
    listener = listen_on("127.0.0.1", 0) if family == "tcp" else listen_at(socket, 0o600)
    upstream = f"127.0.0.1:{listener.getsockname()[1]}" if family == "tcp" else f"unix:{socket}"
    wrong: list[str] = []
    async with (
        served(listener) as gateway,
        proxied(name, upstream, port, tmp_path, key_of("web") if has_key else None),
    ):
        turn = asyncio.Semaphore(8)

        async def one_by_one(number: int, case: Case) -> None:
            async with turn:
                await send(port, case.sent)
                user = 1000 + number
                answer = await ask(port, user)
                expected = b'"user_id":"%d"' % user if has_key else b"/problems/invalid-api-key"
                if answer.count(b"HTTP/1.1 ") != 1 or expected not in answer:
                    wrong.append(f"{case.name}: {answer[:300]!r}")

        await asyncio.gather(*(one_by_one(number, case) for number, case in enumerate(attacks)))
        assert not wrong, "\n".join(wrong[:10])
        assert gateway.acme.platform.connection(1, 102) == "PENDING_INCOMING"
        if not has_key:
            assert gateway.calls == 0
    tell(f"behind {name}, {family}: {len(attacks)} requests, each followed by somebody else's")
