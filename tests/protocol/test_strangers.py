"""Floods at a real process: what is held is bounded and given back, and nobody keeps anybody with a key from being served."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.auth.callers import key_digest
from tests.faults.live.processes import LONGEST, Platform, Running, gateway, simulated
from tests.gateways import key_of
from tests.protocol.flood import FLOODS, Flood, lookup_of_many

CALLERS = "".join(
    f'[[callers]]\nname = "{name}"\nkey_sha256 = "{key_digest(key_of(name))}"\n' for name in ("web", "bot")
)
STRANGERS = 48
LOOKUPS = 10
LOST = 0
"""In place of a status: the connection was closed without an answer."""
SETTLED = 3.0
"""Seconds in which the process gives back what it does not need, unless it never does."""
ASKED = "/v1/connections/acme/103"
NO_MORE = 10.0
"""MB that the process may keep of a flood."""
PEAK = 48.0
"""MB that it may take for one."""
ENOUGH = 100_000_000
"""Bytes of bodies, of which none may be kept."""
pytestmark = pytest.mark.no_cover  # another process, and many megabytes


@asynccontextmanager
async def process(folder: Path, port: int, **server: Any) -> AsyncIterator[tuple[Running, Platform]]:
    settings: dict[str, Any] = {"header_timeout": 1.0, "request_timeout": 5.0} | server
    async with (
        simulated("symphony") as pod,
        gateway(folder, port, {"acme": pod.url}, more=CALLERS, **settings) as running,
    ):
        yield running, pod


async def served(port: int, name: str, times: int) -> list[int]:
    """The statuses of so many lookups with this caller's key, each on a connection of its own."""
    statuses: list[int] = []
    for _ in range(times):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=LONGEST) as client:
            try:
                statuses.append((await client.get(ASKED, headers={"X-API-Key": key_of(name)})).status_code)
            except httpx.TransportError:
                statuses.append(LOST)
    return statuses


async def warm_up(port: int) -> None:
    """Ordinary requests, as many at once as there will be strangers, of every kind that they will send."""
    assert await served(port, "web", LOOKUPS) == [200] * LOOKUPS
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=LONGEST) as client:
        for _ in range(3):
            await asyncio.gather(*(client.post("/livez", content=bytes(60_000)) for _ in range(STRANGERS)))
            await asyncio.gather(*(client.get("/openapi.json") for _ in range(STRANGERS)))


async def settled(running: Running, at_most: float) -> float:
    """Its memory, once it is at most this, or when it has had time enough to give it back."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SETTLED):
            while running.memory() > at_most:  # noqa: ASYNC110  another process has no event
                await asyncio.sleep(0.05)
    return running.memory()


async def beside(port: int, name: str, running: Running) -> tuple[list[int], float]:
    """What a caller with a key is answered while strangers send this, and the memory that the process has then."""
    begun = 0

    async def stranger() -> None:
        nonlocal begun
        while True:
            begun += 1
            await Flood(port, *FLOODS[name]).run()

    strangers = [asyncio.create_task(stranger()) for _ in range(STRANGERS)]
    try:
        async with asyncio.timeout(LONGEST / 2):
            answers = await served(port, "web", LOOKUPS)
        memory = running.memory()
    except TimeoutError:
        return [], running.memory()
    finally:
        for each in strangers:
            each.cancel()
        await asyncio.gather(*strangers, return_exceptions=True)
    assert begun >= STRANGERS
    return answers, memory


async def test_who_has_a_key_is_served_beside_any_flood(
    port: int, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    """Strangers are more than there are places for requests, and come again when they are cut off."""
    async with process(tmp_path, port, max_concurrency=8) as (running, _):
        await warm_up(port)
        before = running.memory()
        wrong = []
        kept = {}
        for name in FLOODS:
            answers, memory = await beside(port, name, running)
            if answers != [200] * LOOKUPS:
                wrong.append(f"{name}: {answers or 'not answered'}")
            if memory - before > PEAK:
                wrong.append(f"{name}: {memory - before:.0f} MB more")
            kept[name] = await settled(running, before + NO_MORE) - before
        wrong += [f"{name}: {more:.1f} MB are kept" for name, more in kept.items() if more > NO_MORE]
    tell(f"{len(FLOODS)} floods of {STRANGERS} strangers: {max(kept.values()):.1f} MB are kept at most")
    assert not wrong, "\n".join(wrong)


async def test_who_does_not_read_and_goes_on_asking_gives_its_place_back(port: int, tmp_path: Path) -> None:
    """With a key, and as many of them as there are places."""
    async with process(tmp_path, port, max_concurrency=4) as (_, _pod):
        assert await served(port, "bot", 1) == [200]
        more = b"".join(lookup_of_many())
        floods = [Flood(port, b"", more) for _ in range(8)]
        running = [asyncio.create_task(each.run()) for each in floods]
        await asyncio.wait_for(asyncio.gather(*running), LONGEST)
        assert all(each.is_cut_off for each in floods)
        assert await served(port, "bot", 5) == [200] * 5


async def test_what_is_sent_faster_than_answers_are_read_is_not_kept(port: int, tmp_path: Path) -> None:
    """Bodies to /livez by whoever reads nothing: the process takes hardly more than the kernel's buffers hold."""
    async with process(tmp_path, port, header_timeout=3.0) as (running, _):
        await warm_up(port)
        before = running.memory()
        floods = [Flood(port, *FLOODS["bodies"]) for _ in range(4)]
        sending = [asyncio.create_task(each.run()) for each in floods]
        peak = before
        while sum(each.sent for each in floods) < ENOUGH and not all(each.done() for each in sending):
            peak = max(peak, running.memory())
            await asyncio.sleep(0.05)
        for each in sending:
            each.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        assert peak - before < PEAK
        assert await settled(running, before + NO_MORE) - before <= NO_MORE
        assert await served(port, "web", 3) == [200] * 3
