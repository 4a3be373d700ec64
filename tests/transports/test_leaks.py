"""Whatever happens to ten thousand calls, nothing is left of them."""

from __future__ import annotations

import asyncio
import os
import random

import httpx

from gateway.transports.pool import Pool
from tests import wire

CALLS = 10_000
AT_ONCE = 100
LIMIT = 8


class Server:
    """Answers after a moment, or drops the connection, at random; notes how many connections are open."""

    def __init__(self, chance: random.Random) -> None:
        self.open = 0
        self.left = asyncio.Event()
        """set while no connection is open"""
        self.asked = 0
        self._chance = chance

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.left.clear()
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.asked += 1
                await asyncio.sleep(self._chance.choice((0.0, 0.0, 0.001, 0.005)))
                if self._chance.random() < 0.05:
                    return
                whole = wire.answer(b" " * self._chance.choice((2, 70_000)))
                if self._chance.random() < 0.05:
                    writer.write(whole[: self._chance.randrange(len(whole))])
                    return
                writer.write(whole)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self.open -= 1
            if not self.open:
                self.left.set()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  the open ones, with the one that lists them


async def test_ten_thousand_calls_that_end_at_any_moment_leave_nothing_behind() -> None:
    chance = random.Random(5)  # noqa: S311  not for secrets
    loop = asyncio.get_running_loop()
    server = Server(chance)
    ends: dict[str, int] = {}

    async def call(pool: Pool, url: str) -> str:
        deadline = loop.time() + chance.choice((0.0005, 0.002, 30.0, 30.0))
        try:
            request = httpx.Request("GET", url, extensions={"deadline": deadline})
            return str((await pool.handle_async_request(request)).status_code)
        except httpx.TransportError as error:
            return type(error).__name__

    async def one_after_another(pool: Pool, url: str) -> None:
        for _ in range(CALLS // AT_ONCE):
            calling = asyncio.create_task(call(pool, url))
            if chance.random() < 0.4:
                await asyncio.sleep(chance.choice((0.0, 0.0, 0.001, 0.004)))
                calling.cancel()
            await asyncio.wait([calling])
            end = "cancelled" if calling.cancelled() else calling.result()
            ends[end] = ends.get(end, 0) + 1

    async with wire.listening(server.handle) as where:
        before = descriptors()
        async with wire.pool(limit=LIMIT) as pool:
            await asyncio.gather(*(one_after_another(pool, f"http://{where}/") for _ in range(AT_ONCE)))
            assert sum(ends.values()) == CALLS
            assert {"200", "cancelled", "PoolTimeout", "ReadTimeout"} <= ends.keys()
            assert server.open <= LIMIT
            deadline = loop.time() + 30
            together = [
                httpx.Request("GET", f"http://{where}/", extensions={"deadline": deadline}) for _ in range(LIMIT)
            ]
            asked = server.asked
            await asyncio.wait([asyncio.create_task(pool.handle_async_request(each)) for each in together])
            assert server.asked == asked + LIMIT, "no place is lost"
        async with asyncio.timeout(30):
            await server.left.wait()
        for _ in range(100):  # the server's own ends of them close a little later
            if descriptors() == before:
                break
            await asyncio.sleep(0.05)
        assert descriptors() == before
        handlers = {each for each in asyncio.all_tasks() if "to_its_end" in repr(each)}
        assert asyncio.all_tasks() - handlers == {asyncio.current_task()}
