"""nginx and HAProxy in front of a gateway, configured as people do it, each a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

PATH = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"
NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    upstream gateway {{ server {upstream}; keepalive 1; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://gateway; proxy_http_version 1.1; proxy_set_header Host localhost;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
            proxy_set_header X-API-Key {key}; proxy_request_buffering off;
        }}
    }}
}}
"""
HAPROXY = """
global
    maxconn 200
defaults
    mode http
    timeout connect 5s
    timeout client 20s
    timeout server 20s
    http-reuse always
frontend front
    bind 127.0.0.1:{port}
    default_backend gateway
backend gateway
    http-request set-header Host localhost
    http-request {key}
    option http-keep-alive
    option httpchk GET /livez
    server one {upstream} maxconn 1 check inter 1s fall 50
"""


def available(name: str) -> pytest.MarkDecorator:
    """Skips a test where there is no such proxy."""
    return pytest.mark.skipif(shutil.which(name, path=PATH) is None, reason=f"there is no {name}")


@asynccontextmanager
async def proxied(name: str, upstream: str, port: int, folder: Path, key: str | None) -> AsyncIterator[None]:
    """`name` listens on `port` and asks `upstream`, with this key of its own, or with none whatever its callers send.

    Its connection to the gateway is one, which all of them share.
    """
    file = folder / f"{name}.conf"
    if name == "nginx":
        file.write_text(NGINX.format(folder=folder, upstream=upstream, port=port, key=f'"{key or ""}"'))
        command = ["nginx", "-p", str(folder), "-c", str(file), "-e", str(folder / "error.log")]
    else:
        rule = f"set-header X-API-Key {key}" if key else "del-header X-API-Key"
        file.write_text(HAPROXY.format(upstream=upstream.replace("unix:", "unix@"), port=port, key=rule))
        command = ["haproxy", "-db", "-q", "-f", str(file)]
    program = shutil.which(command[0], path=PATH)
    assert program is not None
    process = await asyncio.create_subprocess_exec(program, *command[1:], stdout=DEVNULL, stderr=DEVNULL)
    try:
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                assert process.returncode is None
                await asyncio.sleep(0.02)
        yield
    finally:
        process.terminate()
        await process.wait()
