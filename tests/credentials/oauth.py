"""The simulated community as an OAuth server, and configurations of its client."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl

import httpx

from adapters import connect
from adapters.contract import Adapter, PlatformError, Viewer
from adapters.selfcommunity.simulator import SECRET
from adapters.simulation import Simulator, simulator
from gateway.settings import Settings
from gateway.sources import load
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

    def connect(self, settings: Settings, warn: Callable[[str], None] = lambda _word: None) -> Adapter:
        wire = Bounded(httpx.MockTransport(self._note))
        return connect("club", settings.platforms["club"], wire, timeout=2.0, warn=warn)

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
