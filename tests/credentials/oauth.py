"""The simulated community as an OAuth server, and configurations of its client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import msgspec

from adapters import connect
from adapters.contract import Adapter, PlatformError, Viewer
from adapters.refresh_token import RefreshTokens
from adapters.selfcommunity.simulator import SECRET
from adapters.simulation import Simulator, simulator
from gateway.app import create_app
from gateway.config.loader import load
from gateway.config.settings import Settings
from gateway.runtime.reload import Reloader
from gateway.telemetry.log import Log
from tests.wire import Bounded, InProcess

TOKEN = "POST /oauth/token/"
STATUS = "GET /api/v2/user/{id}/connection_status/"
CLIENT = {
    "grant_type": "password",
    "client_id": "demo",
    "client_secret": SECRET,
    "username": "demo",
    "password": "demo",
}


class Community:
    """The simulated community, and what was posted to its token endpoint."""

    def __init__(self) -> None:
        self.simulator: Simulator = simulator("selfcommunity")
        self.forms: list[dict[str, str]] = []
        self.safe: list[bool] = []

    async def first_refresh_token(self) -> str:
        answer = await InProcess(self.simulator).handle_async_request(
            httpx.Request("POST", "http://club.example/oauth/token/", data=CLIENT)
        )
        await answer.aread()
        return str(answer.json()["refresh_token"])

    def connect(
        self,
        settings: Settings,
        warn: Callable[[str], None] = lambda _word: None,
        tokens: RefreshTokens | None = None,
    ) -> Adapter:
        """An adapter of a new process; with `tokens` one that a reload makes."""
        return connect("club", settings.platforms["club"], self.wire(), timeout=2.0, warn=warn, refresh_tokens=tokens)

    def wire(self) -> Bounded:
        return Bounded(httpx.MockTransport(self._note))

    @property
    def refresh_tokens(self) -> list[str]:
        """Those that were sent, in order."""
        return [form["refresh_token"] for form in self.forms]

    async def _note(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token/":
            assert request.headers["content-type"] == "application/x-www-form-urlencoded"
            self.forms.append(dict(parse_qsl(request.content.decode())))
            self.safe.append(request.extensions["safe"])
        return await InProcess(self.simulator).handle_async_request(request)


def configured(folder: Path, grant: str, **environ: str) -> Settings:
    (folder / "client").write_text(SECRET)
    (folder / "gateway.toml").write_text(f"""
        [platforms.club]
        adapter = "selfcommunity"
        base_url = "http://club.example"
        fresh_for = 0
        credentials = {{ mode = "oauth2", client_id = "demo", client_secret_file = "client"{grant} }}
    """)
    for file in folder.iterdir():
        file.chmod(0o600)
    return load(folder / "gateway.toml", {f"GATEWAY_PLATFORMS__CLUB__{key}": text for key, text in environ.items()})


def names_in(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


BY_PASSWORD = ', username = "demo", password_file = "password"'
BY_REFRESH = ', refresh_token_file = "refresh"'


def with_password(folder: Path, password: str = "demo") -> Settings:
    (folder / "password").write_text(password)
    return configured(folder, BY_PASSWORD)


async def with_refresh_token(folder: Path, community: Community) -> Settings:
    (folder / "refresh").write_text(await community.first_refresh_token())
    return configured(folder, BY_REFRESH)


async def ask(adapter: Adapter, target: int = 103) -> str:
    found = (await adapter.read(Viewer.own("club"), (target,)))[target]
    if isinstance(found, PlatformError):
        raise found
    return found.status


class Gateway:
    """`app` in front of the simulated community, configured in `folder`, and what it logs."""

    def __init__(self, community: Community, folder: Path, settings: Settings) -> None:
        self.lines: list[str] = []
        self.community = community
        self.after_reading: Callable[[], object] = lambda: None
        self._file = folder / "gateway.toml"
        log = Log(self.lines.append)
        self.app = create_app(settings, log=log, wire=lambda _settings: community.wire())
        self._reloading = Reloader(self._read, self.app.state.snapshots, log)

    def _read(self) -> Settings:
        settings = load(self._file, {})
        self.after_reading()
        return settings

    async def lookup(self) -> str:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
            return str((await client.get("/v1/connections/club/103")).json().get("status"))

    def start_reload(self) -> None:
        self._reloading.start()

    async def reload(self) -> list[str]:
        """The keys that the log says have changed."""
        before = len(self.lines)
        self.start_reload()
        return await self.reloaded(before)

    async def reloaded(self, before: int) -> list[str]:
        async with asyncio.timeout(60):
            while True:
                for line in map(msgspec.json.decode, self.lines[before:]):
                    if line["event"] == "reloaded":
                        return list(line.get("changed", []))
                    assert line["event"] != "not-reloaded", line
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(folder: Path, community: Community) -> AsyncIterator[Gateway]:
    """A gateway with a refresh token in a file."""
    gateway = Gateway(community, folder, await with_refresh_token(folder, community))
    async with gateway.app.router.lifespan_context(gateway.app):
        yield gateway


def assert_used_once(community: Community) -> None:
    assert len(set(community.refresh_tokens)) == len(community.refresh_tokens)
