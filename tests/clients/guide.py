"""The two right ways of `docs/clients/javascript.md`, running: its configurations with the addresses of a test."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from adapters.simulation import serving, simulator
from gateway.app import create_app
from gateway.auth.callers import key_digest
from gateway.config.loader import load
from gateway.telemetry.log import Log
from tests.docs.pages import section
from tests.docs.test_page import NGINX
from tests.gateways import KEY

PAGE: Final = "docs/clients/javascript.md"
EXAMPLE: Final = "https://gateway.example.com"
WEB_KEY: Final = "the key of web"
PEOPLE: Final = """<!DOCTYPE html><html lang="en"><title>People</title><link rel="icon" href="data:,">
<script type="module" src="/gateway/client/element.js"></script>
<connection-status platform="acme" user-id="1"></connection-status></html>"""


def fenced(language: str, text: str) -> list[str]:
    """The code blocks in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@asynccontextmanager
async def own_token(folder: Path, origin: str = "https://app.example.com") -> AsyncIterator[str]:
    """The gateway of "The viewer's own token", for pages of `origin`, in front of a simulated pod."""
    async with _gateway(folder, "### The viewer's own token", {"https://app.example.com": origin}) as url:
        yield url


@asynccontextmanager
async def proxied(folder: Path, port: int) -> AsyncIterator[str]:
    """nginx of "A proxy that adds the key", an app whose cookie `viewer` says who is signed in, and the gateway."""
    heading = "### A proxy that adds the key"
    (folder / "acme.pem").write_text(str(KEY))
    (folder / "acme.pem").chmod(0o600)
    app = Starlette(routes=[Route("/session", _session), Route("/people.html", _people)])
    async with _gateway(folder, heading, {"0" * 64: key_digest(WEB_KEY)}) as gateway, serving(app) as app_url:
        (locations,) = fenced("nginx", section(PAGE, heading))
        locations = locations.replace("http://app.example.com", app_url).replace(
            "http://gateway.example.com", gateway
        )
        async with _nginx(f"{locations} location / {{ proxy_pass {app_url}; }}", port, folder) as url:
            yield url


async def _session(request: Request) -> Response:
    viewer = request.cookies.get("viewer")
    return Response(status_code=401) if viewer is None else Response(status_code=204, headers={"X-Viewer": viewer})


async def _people(request: Request) -> Response:
    """The page, which signs in who is named in its query."""
    answer = HTMLResponse(PEOPLE)
    if viewer := request.query_params.get("viewer"):
        answer.set_cookie("viewer", viewer, samesite="lax")
    return answer


@asynccontextmanager
async def _gateway(folder: Path, heading: str, replaced: dict[str, str]) -> AsyncIterator[str]:
    (toml,) = fenced("toml", section(PAGE, heading))
    async with serving(simulator("symphony")) as pod:
        for old, new in {**replaced, "https://acme.symphony.com": pod}.items():
            assert old in toml
            toml = toml.replace(old, new)
        file = folder / "gateway.toml"
        file.write_text(toml)
        app = create_app(load(file, {}), log=Log(lambda _line: None))
        async with app.router.lifespan_context(app), serving(app) as url:
            yield url


@asynccontextmanager
async def _nginx(locations: str, port: int, folder: Path) -> AsyncIterator[str]:
    (folder / "nginx.conf").write_text(f"""
        daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
        events {{}}
        http {{
            access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
            fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
            server {{ listen 127.0.0.1:{port}; {locations} }}
        }}
    """)
    process = await asyncio.create_subprocess_exec(NGINX, "-c", str(folder / "nginx.conf"), "-e", "stderr")
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as probe:
            for _ in range(400):
                with contextlib.suppress(httpx.ConnectError):
                    await probe.get(f"{url}/people.html")
                    break
                await asyncio.sleep(0.05)
        yield url
    finally:
        process.terminate()
        await process.wait()
