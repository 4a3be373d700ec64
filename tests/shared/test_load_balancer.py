"""The load balancer's example in docs/scale-out.md sends all lookups of one viewer to one replica."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.docs.pages import PAGES
from tests.protocol.proxies import PATH, available

CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {upstream}
    server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://gateway; }} }}
}}
"""


@asynccontextmanager
async def replica(name: bytes) -> AsyncIterator[str]:
    """Answers with its name."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n" + name)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def upstream(addresses: list[str]) -> str:
    (shown,) = re.findall(r"```nginx\n(.*?)```", PAGES["docs/scale-out.md"], re.DOTALL)
    servers = re.findall(r"server (\S+);", shown)
    assert len(servers) == len(addresses)
    shown = str(shown)
    for each, address in zip(servers, addresses, strict=True):
        shown = shown.replace(each, address)
    return shown


@pytest.mark.parametrize("headers", ["X-On-Behalf-Of: {}", "sessionToken: token-{}", "Authorization: Bearer {}"])
@pytest.mark.parametrize("name", [pytest.param("nginx", marks=available("nginx"))])
async def test_one_viewer_is_one_replica_s(name: str, headers: str, tmp_path: Path, port: int) -> None:
    program = shutil.which(name, path=PATH)
    assert program is not None
    async with replica(b"1") as one, replica(b"2") as two:
        file = tmp_path / "nginx.conf"
        file.write_text(CONFIGURATION.format(folder=tmp_path, upstream=upstream([one, two]), port=port))
        process = await asyncio.create_subprocess_exec(
            program, "-p", str(tmp_path), "-c", str(file), "-e", str(tmp_path / "error.log")
        )
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                found = [await _asked(client, headers.format(viewer)) for viewer in range(16) for _ in range(3)]
        finally:
            process.terminate()
            await process.wait()
    by_viewer = [found[start : start + 3] for start in range(0, len(found), 3)]
    assert all(len(set(each)) == 1 for each in by_viewer)
    assert set(found) == {"1", "2"}


async def _asked(client: httpx.AsyncClient, header: str) -> str:
    name, _, value = header.partition(": ")
    for _ in range(300):
        try:
            return (await client.get("/v1/connections/acme/101", headers={name: value})).text
        except httpx.ConnectError:
            await asyncio.sleep(0.02)
    raise AssertionError("nginx does not start")
