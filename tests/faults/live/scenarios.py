"""What is done to the gateway, and what must come of it."""

from __future__ import annotations

import asyncio
import functools
import itertools
import signal
import statistics
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import jwt
import msgspec

from adapters.contract import Status
from adapters.selfcommunity.simulator import SECRET
from tests.faults.live import figures
from tests.faults.live.callers import LOST, REFUSED, Answer, Caller, at_a_rate, at_once, kinds, once, share
from tests.faults.live.figures import Figure, Scale
from tests.faults.live.processes import gateway, simulated
from tests.protocol.malformed import STATUSES as ANSWERED
from tests.protocol.malformed import malformed
from tests.wire import listening

Scenario = Callable[[Path, int, Scale], Coroutine[Any, Any, list[Figure]]]
"""Given a folder, a free port and how much of it."""

TIMEOUT: Final = 0.5
PATIENCE: Final = 0.3
"""Seconds: a call's, and a caller's."""
NUMBERS: Final = itertools.count(10**12)
VIEWERS: Final = range(10_000, 10_500)
STATUSES: Final = frozenset(Status)
UNAVAILABLE: Final = "platform-unavailable"
TROUBLES: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "dead": ({}, "platform-unreachable"),
    "hanging": ({"delay": 3600}, "platform-timeout"),
    "dripping": ({}, "platform-timeout"),
    "throttled": ({"status": 429, "retry_after": 1}, "platform-throttled"),
    "500": ({"status": 500}, "platform-error"),
    "HTML": ({"status": 200, "body": "<html></html>", "content_type": "text/html"}, "platform-invalid-answer"),
}
"""What a platform does wrong, and what a lookup is told then; or that it is left alone."""


async def troubles(folder: Path, port: int, scale: Scale) -> list[Figure]:
    """One platform in each trouble, under callers who have less time than a call."""
    found: list[Figure] = []
    for name, (usual, slug) in TROUBLES.items():
        fault = usual
        async with simulated("symphony") as pod, dripping() as drip, AsyncExitStack() as stack:
            urls = {"dead": f"http://127.0.0.1:{port + 1}", "dripping": drip}
            running = await stack.enter_async_context(
                gateway(folder, port, {"acme": urls.get(name, pod.url)}, request_timeout=TIMEOUT)
            )
            if fault:
                if name == "HTML":  # the login is answered, or it would be that which fails
                    await once(port, "/v1/connections/acme/101")
                    fault = {**fault, "path": "/connection"}
                await pod.misbehave(**fault)
            answers = await at_once(running.port, 32, lookup, most=scale.lookups)
            later = await at_once(running.port, 4, lookup, most=scale.lookups)
        found += [
            figures.of_kinds(name, answers + later, (slug, UNAVAILABLE)),
            figures.in_time(name, answers + later, PATIENCE, scale.slack),
        ]
        spared = [each for each in later if each.kind == UNAVAILABLE]
        if spared:
            found.append(figures.quicker(f"{name}: median while it is left alone", spared, 0.005))
    return found


async def overload(folder: Path, port: int, scale: Scale) -> list[Figure]:
    """Five times as many as `max_concurrency` admits from a platform that takes 200 ms, each as another viewer."""
    async with simulated("selfcommunity") as guild:
        for viewer in VIEWERS:
            await guild.know(viewer, 101)
        await guild.misbehave(delay=0.2)
        async with gateway(folder, port, {"guild": guild.url}, each="max_waiting = 1000", max_concurrency=50):
            await at_once(port, 50, as_somebody, seconds=1.0)
            control = await at_once(port, 50, as_somebody, seconds=scale.seconds)
            admitted = sum(each.kind in STATUSES for each in control) / scale.seconds
            answers = await at_a_rate(port, 5 * admitted, scale.seconds, as_somebody)
    good = sum(each.kind in STATUSES for each in answers) / scale.seconds
    shed = [each for each in answers if each.kind == "overloaded"]
    return [
        figures.of_kinds("overload", answers, (*sorted(STATUSES), "overloaded")),
        Figure("overload: shed", f"{len(shed):,}", "some", bool(shed)),
        Figure(
            "overload: answered per second, against as many as are admitted",
            f"{good:.0f} against {admitted:.0f} ({good / admitted:.0%})",
            "at least 90%",
            good >= 0.9 * admitted,
            True,
        ),
        figures.quicker("overload: median until a request is shed", shed, 0.010),
    ]


async def neighbours(folder: Path, port: int, scale: Scale) -> list[Figure]:
    """One platform hangs, and the other is asked as before."""
    quiet: list[float] = []
    beside: list[float] = []
    bad: list[Answer] = []
    async with (
        simulated("symphony") as pod,
        simulated("selfcommunity") as club,
        gateway(folder, port, {"acme": pod.url, "club": club.url}),
    ):
        await at_once(port, 8, of_club, seconds=1.0)
        rounds = 5
        for _ in range(rounds):
            await pod.behave()
            answers = await at_once(port, 8, of_club, seconds=scale.seconds / rounds)
            quiet.append(share(answers, 0.99))
            bad += [each for each in answers if each.kind not in STATUSES]
            await pod.misbehave(delay=3600)
            hanging = asyncio.create_task(at_once(port, 100, at_leisure, seconds=scale.seconds / rounds))
            await asyncio.sleep(0.2)
            answers = await at_once(port, 8, of_club, seconds=scale.seconds / rounds)
            beside.append(share(answers, 0.99))
            bad += [each for each in answers if each.kind not in STATUSES]
            await hanging
    ratio = statistics.median(one / other for one, other in zip(beside, quiet, strict=True))
    p99s = f"{statistics.median(beside) * 1e3:.1f} ms, {statistics.median(quiet) * 1e3:.1f} ms without ({ratio - 1:+.0%})"
    return [
        Figure("one platform hangs: the other's answers", f"{len(bad)} wrong", "0 wrong", not bad),
        Figure("one platform hangs: the other's p99", p99s, "at most +20%", ratio <= 1.2, True),
    ]


async def connections(folder: Path, port: int, scale: Scale) -> list[Figure]:
    """Many who say nothing, or hardly anything, or nothing any more."""
    async with simulated("symphony") as pod, gateway(folder, port, {"acme": pod.url}, header_timeout=2.0):
        loop = asyncio.get_running_loop()
        begun = loop.time()
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(scale.silent)]
        for number, (_, writer) in enumerate(silent):
            if number % 2:
                writer.write(b"GET /livez HTTP/1.1\r\nHost: local")
        others = asyncio.create_task(at_once(port, 8, lookup, seconds=2.0))
        async with asyncio.timeout(60):
            said = await asyncio.gather(*(reader.read() for reader, _ in silent))
        took = loop.time() - begun
        answers = await others
        for _, writer in silent:
            writer.close()
        idle = [Caller(port) for _ in range(scale.idle)]
        for some in (idle[start : start + 100] for start in range(0, len(idle), 100)):
            await asyncio.gather(*(each.get("/livez") for each in some))
        probes = [await once(port, path) for path in ("/livez", "/readyz") for _ in range(20)]
        for each in idle:
            each.close()
    return [
        Figure(
            f"{scale.silent:,} silent connections: answers to them", str(sum(map(bool, said))), "0", not any(said)
        ),
        Figure(
            f"{scale.silent:,} silent connections: all are closed", f"after {took:.1f} s", "2 s", took < 4.0, True
        ),
        figures.of_kinds(f"beside {scale.silent:,} silent connections", answers, ("none",)),
        figures.of_kinds(f"probes beside {scale.idle:,} idle connections", probes, ("live", "ready")),
    ]


async def nonsense(folder: Path, port: int, _scale: Scale) -> list[Figure]:
    """What no client should send, on the raw socket."""
    statuses: list[list[bytes]] = []
    requests = dict(malformed())
    async with simulated("symphony") as pod, gateway(folder, port, {"acme": pod.url}, header_timeout=1.0) as running:
        turn = asyncio.Semaphore(30)

        async def send(said: bytes) -> None:
            async with turn:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(said)
                try:
                    answer = await reader.read()
                except ConnectionResetError:
                    answer = b""
                writer.close()
            statuses.append(ANSWERED.findall(answer))

        await asyncio.gather(*map(send, requests.values()))
        calls = await pod.calls()
        alive = running.process.returncode is None and (await once(port, "/livez")).kind == "live"
    second = sum(len(each) > 1 for each in statuses)
    wrong = sum(not status.startswith(b"4") for each in statuses for status in each)
    what = f"{len(requests)} malformed requests"
    return [
        Figure(f"{what}: crashes", str(int(not alive)), "0", alive),
        Figure(f"{what}: answered twice", str(second), "0", not second),
        Figure(f"{what}: answered with anything but 4xx", str(wrong), "0", not wrong),
        Figure(f"{what}: calls to the platform", str(calls), "0", not calls),
    ]


async def ends(folder: Path, port: int, scale: Scale) -> list[Figure]:
    """Stopped and killed under load."""
    found: list[Figure] = []
    async with simulated("symphony") as pod:
        await pod.misbehave(delay=0.02, path="/connection")
        async with gateway(folder, port, {"acme": pod.url}, drain_delay=0.3) as running:
            asking = asyncio.create_task(at_once(port, 32, until_refused, seconds=scale.seconds))
            await asyncio.sleep(scale.seconds / 2)
            code = await running.stop()
            answers = kinds(await asking)
        log = [msgspec.json.decode(line) for line in running.log.read_bytes().splitlines()]
        admitted = sum(line["event"] == "request" and line.get("platform") == "acme" for line in log)
        answered = answers["none"]
        found += [
            Figure("SIGTERM under load: admitted requests lost", str(admitted - answered), "0", admitted == answered),
            Figure(
                "SIGTERM under load: connections lost", str(answers[LOST]), "0", not answers[LOST], is_timing=True
            ),
            Figure("SIGTERM under load: exit code", str(code), "0", code == 0),
        ]
        async with gateway(folder, port, {"acme": pod.url}) as running:
            asking = asyncio.create_task(at_once(port, 32, until_refused, seconds=scale.seconds * 2))
            await asyncio.sleep(scale.seconds / 2)
            await running.stop(signal.SIGKILL)
            async with gateway(folder, port, {"acme": pod.url}):
                after = kinds(await at_once(port, 32, lookup, seconds=scale.seconds / 2))
                answers = kinds(await asking)
        told = ", ".join(f"{times:,} {kind}" for kind, times in answers.most_common())
        good = set(answers) <= {"none", LOST, REFUSED} and answers[LOST] <= 64
        found += [
            Figure("kill -9 under 32 at once", told, f"none, {REFUSED}, and {LOST} of those on their way", good),
            figures.of_kinds(
                "kill -9: after the restart", [Answer(kind, 0.0) for kind in after.elements()], ("none",)
            ),
        ]
    return found


async def lookup(caller: Caller) -> Answer:
    return await caller.get(f"/v1/connections/acme/{next(NUMBERS)}", f"X-Request-Timeout-Ms: {PATIENCE * 1e3:.0f}")


async def patient(caller: Caller) -> Answer:
    return await caller.get(f"/v1/connections/acme/{next(NUMBERS)}")


async def as_somebody(caller: Caller) -> Answer:
    token = f"Authorization: Bearer {token_of(VIEWERS[next(NUMBERS) % len(VIEWERS)])}"
    return await caller.get("/v1/connections/guild/101", token, "Cache-Control: no-cache")


@functools.cache
def token_of(user: int) -> str:
    """Of a user of the simulated community."""
    now = int(time.time())
    claims = {"token_type": "access", "user_id": user, "jti": str(user), "iat": now, "exp": now + 3600}
    return jwt.encode(claims, SECRET, "HS256")


async def of_club(caller: Caller) -> Answer:
    return await caller.get(f"/v1/connections/club/{101 + next(NUMBERS) % 5}", "Cache-Control: no-cache")


async def at_leisure(caller: Caller) -> Answer:
    answer = await patient(caller)
    await asyncio.sleep(0.5)
    return answer


async def until_refused(caller: Caller) -> Answer:
    answer = await patient(caller)
    if answer.kind == REFUSED:
        await asyncio.sleep(0.1)
    return answer


@asynccontextmanager
async def dripping() -> AsyncIterator[str]:
    """A platform that never comes to its end."""

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.05)

    async with listening(drip) as where:
        yield f"http://{where}"


SCENARIOS: Final[dict[str, Scenario]] = {
    "troubles": troubles,
    "overload": overload,
    "neighbours": neighbours,
    "connections": connections,
    "nonsense": nonsense,
    "ends": ends,
}
