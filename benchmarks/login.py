"""What a login costs the event loop, beside what it would cost to sign from the key's text each time.

It is CPU time of the loop's own thread, so nothing counts that another thread does meanwhile. The platform answers at
once and in process: what its answer costs to make is in every row alike.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import httpx
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters import connect
from adapters.contract import Adapter, Viewer
from gateway.config.converter import from_tables

ROUNDS: Final = 7
LOGINS: Final = 200
"""In each round of each row; rounds are interleaved, so that a busy moment of the machine spoils no row alone."""
MOST: Final = 2.0
"""Milliseconds that a login may cost the loop."""
READ: Final = {"userId": 1, "status": "ACCEPTED"}


def pem(bits: int) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Platform:
    """Gives a token for any login, and refuses every call, so that each call is a login."""

    def __init__(self) -> None:
        self.number = 0

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.number += 1
        path = request.url.path
        if "/authenticate" in path:
            return httpx.Response(200, content=msgspec.json.encode({"token": f"t{self.number}"}))
        if "/token/" in path:
            grant = {"access_token": f"t{self.number}", "refresh_token": f"r{self.number}"}
            return httpx.Response(200, content=msgspec.json.encode(grant))
        return httpx.Response(401)


def adapter(kind: str, **credentials: Any) -> Adapter:
    table = {"adapter": kind, "base_url": "http://x.example", "credentials": credentials}
    callers = [{"name": "web", "key_sha256": "0" * 64}]
    settings = from_tables({"platforms": {"x": table}, "callers": callers}).platforms["x"]
    return connect("x", settings, httpx.MockTransport(Platform().answer), timeout=10)


def logging_in(platform: Adapter, viewer: Viewer) -> Callable[[], Awaitable[None]]:
    """One login: the first call of a viewer whom nobody has seen, less what a call costs anyway."""
    sessions: Any = platform._calls  # type: ignore[attr-defined]  # noqa: SLF001  a login has no surface of its own

    async def log_in() -> None:
        sessions._sessions.clear()  # noqa: SLF001  as if it had never been here
        await sessions.token(viewer)

    return log_in


def signing_from_text(text: str) -> Callable[[], Awaitable[None]]:
    async def sign() -> None:
        jwt.encode({"sub": "bot", "exp": 1}, text, algorithm="RS512")

    return sign


async def loop_time(work: Callable[[], Awaitable[None]], times: int) -> float:
    """Milliseconds of the loop's thread for each."""
    begun = time.thread_time()
    for _ in range(times):
        await work()
    return (time.thread_time() - begun) / times * 1000


async def main() -> None:
    keys = {bits: pem(bits) for bits in (2048, 4096)}
    own, named = Viewer.own("x"), Viewer.named("x", 1)
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "refresh-token"
        kept.write_text("r0")
        client = {"client_id": "c", "client_secret": "s"}
        refresh = {"refresh_token": "r0", "refresh_token_file": str(kept)}
        rows = {
            f"bot, {bits} bits": logging_in(adapter("symphony", mode="bot", username="b", private_key=text), own)
            for bits, text in keys.items()
        } | {
            "obo, the app's session live": logging_in(
                adapter("symphony", mode="obo", app_id="a", private_key=keys[2048]), named
            ),
            "jwt": logging_in(adapter("selfcommunity", mode="jwt", secret="s" * 32), named),
            "oauth2, password": logging_in(
                adapter("selfcommunity", mode="oauth2", username="u", password="p", **client), own
            ),
            "oauth2, a new refresh token": logging_in(
                adapter("selfcommunity", mode="oauth2", **client, **refresh), own
            ),
        }
        found: dict[str, list[float]] = {name: [] for name in rows}
        from_text: list[float] = []
        for _ in range(ROUNDS):
            from_text.append(await loop_time(signing_from_text(keys[2048]), 5))
            for name, row in rows.items():
                found[name].append(await loop_time(row, LOGINS))
    base = statistics.median(from_text)
    print("| login | ms of the loop, median (lowest to highest) | of signing from text |\n| --- | --- | --- |")
    for name, times in found.items():
        middle = statistics.median(times)
        print(f"| {name} | {middle:.3f} ({min(times):.3f} to {max(times):.3f}) | {middle / base:.1%} |")
    print(
        f"| signing from the text of a key, 2048 bits | {base:.1f} ({min(from_text):.1f} to {max(from_text):.1f}) | |"
    )
    dearest = max(statistics.median(times) for times in found.values())
    print(f"\nThe dearest costs {dearest:.3f} ms; {MOST:g} ms are allowed.")


if __name__ == "__main__":
    asyncio.run(main())
