"""A gateway whose platforms can be made to fail in every way that a network knows, on whichever clock the test has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from adapters.settings import PlatformSettings
from adapters.simulation import simulator
from gateway.app import create_app
from gateway.config.converter import from_tables
from gateway.telemetry.log import Log
from tests.gateways import ADAPTERS, CALLERS, THOUSAND, tables
from tests.wire import Bounded, InProcess

HTML = "<html><body>maintenance</body></html>"


class Upstream(httpx.AsyncBaseTransport):
    """A simulated platform that works while `trouble` is empty: else `dead`, `lost`, `hanging`, `dripping`, or an
    answer.
    """

    def __init__(self, adapter: str) -> None:
        self.simulator = simulator(adapter)
        self.trouble: str | httpx.Response = ""
        self.seconds = 0.0
        """that it takes for an answer"""
        self.refuses: dict[int, httpx.Response] = {}
        """users because of whom a call fails for all whom it is about, and how"""
        self.left: list[float] = []
        """when each call left"""
        self._inner = InProcess(self.simulator)

    @property
    def calls(self) -> int:
        return len(self.left)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.left.append(asyncio.get_running_loop().time())
        match self.trouble:
            case "":
                await asyncio.sleep(self.seconds)
                for user, answer in self.refuses.items():
                    if user in request.extensions["users"]:
                        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
                return await self._inner.handle_async_request(request)
            case "dead":
                raise httpx.ConnectError("refused", request=request)
            case "lost":
                raise httpx.ReadError("reset", request=request)
            case "hanging":
                await asyncio.sleep(3600)
                raise AssertionError("the deadline passed long ago")
            case "dripping":
                return httpx.Response(200, stream=_Drip())
            case httpx.Response() as answer:
                return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
            case unknown:
                raise AssertionError(unknown)


class _Drip(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(10_000):
            yield b" "
            await asyncio.sleep(0.1)


class Faulty:
    """`client` asks the gateway; `acme` is a pod and `club` a community behind it."""

    def __init__(
        self, credentials: Mapping[str, Mapping[str, Any]], each: Mapping[str, Any], server: Mapping[str, Any]
    ) -> None:
        self.upstreams = {name: Upstream(ADAPTERS[name]) for name in credentials}
        self._viewers = 0
        settings = from_tables(tables(credentials, server, each=each))
        self.app = create_app(settings, log=Log(lambda _line: None), wire=self._wire)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://localhost")

    @property
    def acme(self) -> Upstream:
        return self.upstreams["acme"]

    @property
    def club(self) -> Upstream:
        return self.upstreams["club"]

    async def lookup(self, platform: str, user: int = 101, token: str | None = "demo") -> httpx.Response:
        """As the viewer of this token, or as the gateway's own."""
        headers = {} if token is None else {"X-Platform-Token": f"{platform}={token}"}
        return await self.client.get(f"/v1/connections/{platform}/{user}", headers=headers)

    async def lookup_anew(self, platform: str, user: int | None = None) -> httpx.Response:
        """As a viewer who has asked nothing yet, so that nobody's call is shared; by default about another user."""
        self._viewers += 1
        user = 1000 + self._viewers % 1000 if user is None else user
        token = f"token-of-viewer-{self._viewers}"
        self.upstreams[platform].simulator.platform.tokens.accept(token, 1)
        return await self.lookup(platform, user, token)

    async def health(self) -> dict[str, str]:
        answer = (await self.client.get("/v1/platforms")).json()
        return {each["name"]: each["health"] for each in answer["platforms"]}

    def _wire(self, settings: PlatformSettings) -> httpx.AsyncBaseTransport:
        return Bounded(self.upstreams[httpx.URL(settings.base_url).host.removesuffix(".example")])


def kind(answer: httpx.Response) -> str:
    """The problem's slug, or the status of the connection."""
    document = answer.json()
    return str(document["type"].removeprefix("/problems/") if answer.is_error else document["status"])


ROOMY = {"request_timeout": 2.0, "max_concurrency": 10_000}


@asynccontextmanager
async def faulty(
    credentials: Mapping[str, Mapping[str, Any]] = CALLERS,
    each: Mapping[str, Any] = THOUSAND,
    server: Mapping[str, Any] = ROOMY,
) -> AsyncIterator[Faulty]:
    """By default it passes on its callers' tokens, and a thousand may wait."""
    gateway = Faulty(credentials, each, server)
    async with gateway.app.router.lifespan_context(gateway.app), gateway.client:
        yield gateway
