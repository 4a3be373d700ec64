"""Minutes of everything that can go wrong, one after the other and at once; and what is left of it."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import statistics
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

from tests.faults.live.callers import LOST, REFUSED, Answer, Caller, act, at_once, kinds
from tests.faults.live.figures import Figure, Scale
from tests.faults.live.processes import Platform, Running, gateway, simulated

PAUSE: Final = 2.0
"""Seconds for which each trouble lasts."""
USERS: Final = 2000
CACHE: Final = "[cache]\nmax_entries = 1000\n"
TROUBLES: Final[tuple[dict[str, Any] | None, ...]] = (
    None,
    {"status": 500},
    {"delay": 3600},
    {"drop": True},
    None,
    {"status": 429, "retry_after": 1},
    {"status": 200, "body": "<html></html>", "content_type": "text/html"},
    {"expire_sessions": True},
    {"status": 503},
    {"status": 401},
    {"delay": 0.3},
    {"status": 403},
)
LEFTOVERS: Final = re.compile(rb"never awaited|was destroyed|never retrieved|Traceback|internal-error")


class Sample(NamedTuple):
    memory: float
    """MB"""
    descriptors: int
    tasks: int


async def soak(folder: Path, port: int, scale: Scale) -> list[Figure]:
    chance = random.Random(7)  # noqa: S311  no secret
    samples: list[Sample] = []
    async with simulated("symphony") as pod, simulated("selfcommunity") as club:
        urls = {"acme": pod.url, "club": club.url}
        async with (
            gateway(folder, port, urls, more=CACHE, request_timeout=0.5) as running,
            httpx.AsyncClient() as client,
        ):

            async def ask(caller: Caller) -> Answer:
                return await caller.send(anything(chance))

            async def trouble(platform: Platform, first: int) -> None:
                for fault in itertools.cycle(TROUBLES[first:] + TROUBLES[:first]):
                    await (platform.behave() if fault is None else platform.misbehave(**fault))
                    await asyncio.sleep(PAUSE)

            async def look() -> None:
                while True:
                    samples.append(await sample(running, client))
                    await asyncio.sleep(0.5)

            beside = [asyncio.create_task(each) for each in (trouble(pod, 0), trouble(club, 5), look())]
            answers = kinds(await at_once(port, 16, ask, seconds=scale.soak))
            for each in beside:
                each.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await asyncio.gather(pod.behave(), club.behave())
            await asyncio.sleep(8.0)  # connections that nobody uses are closed, and pauses are over
            at_rest = await sample(running, client)
            alive = running.process.returncode is None
            code = await running.stop()
        left = LEFTOVERS.findall(running.log.read_bytes())
    quarter = len(samples) // 4
    early, late = (
        statistics.median(each.memory for each in part)
        for part in (samples[quarter : 2 * quarter], samples[-quarter:])
    )
    minutes = f"{scale.soak / 60:g} min of mixed faults"
    told = f"{early:.0f} MB in the second quarter, {late:.0f} MB in the last"
    answered = sum(answers.values()) - answers[LOST] - answers[REFUSED]
    return [
        Figure(
            f"{minutes}: requests answered",
            f"{answered:,} of {sum(answers.values()):,}",
            "all",
            answered == answers.total(),
        ),
        Figure(f"{minutes}: memory", told, "at most 5% more", late <= early * 1.05 + 1),
        Figure(
            f"{minutes}: file descriptors at rest", str(at_rest.descriptors), "at most 40", at_rest.descriptors <= 40
        ),
        Figure(f"{minutes}: tasks at rest", str(at_rest.tasks), "at most 8", at_rest.tasks <= 8),
        Figure(f"{minutes}: never awaited, destroyed, tracebacks", str(len(left)), "0", not left),
        Figure(f"{minutes}: alive, and its exit code", f"{alive}, {code}", "True, 0", alive and code == 0),
    ]


async def sample(running: Running, client: httpx.AsyncClient) -> Sample:
    text = (await client.get(f"http://127.0.0.1:{running.port}/metrics")).text
    tasks = int(float(re.findall(r"^connection_gateway_tasks (\S+)$", text, re.MULTILINE)[0]))
    return Sample(running.memory(), running.descriptors(), tasks)


def anything(chance: random.Random) -> bytes:
    """A lookup, of one or of many, a list or an action, of any platform, by somebody who may be in a hurry."""
    platform = chance.choice(("acme", "club"))
    user = chance.choice((101, 102, 103, 104, 105, chance.randrange(1000, 1000 + USERS)))
    hurry = chance.choice(((), (), ("X-Request-Timeout-Ms: 50",), ("Cache-Control: no-cache",)))
    match chance.randrange(10):
        case 0:
            action = chance.choice(("request", "accept", "reject", "cancel", "remove"))
            return act(f"/v1/connections/{platform}/{user}/{action}", *hurry)
        case 1:
            return _get("/v1/connections?status=all", hurry)
        case 2:
            users = ",".join(
                f'{{"platform":"{chance.choice(("acme", "club"))}","user_id":"{chance.randrange(1, USERS)}"}}'
                for _ in range(chance.randrange(1, 50))
            )
            body = f'{{"users":[{users}]}}'
            lines = ["POST /v1/lookup HTTP/1.1", "Host: localhost", *hurry, f"Content-Length: {len(body)}", "", body]
            return "\r\n".join(lines).encode()
        case _:
            return _get(f"/v1/connections/{platform}/{user}", hurry)


def _get(path: str, headers: tuple[str, ...]) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()
