"""Reloads without end under load: SIGHUP again and again, while files are exchanged as Kubernetes does it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import httpx
import msgspec

from adapters.simulation import private_key, serving, simulator
from gateway.auth.callers import key_digest
from tests.canary import on_duty
from tests.gateways import KEY, key_of
from tests.serving.test_process import ASKED, COMMAND, LONGEST

CONFIGURATION = """
    [server]
    port = {port}
    reload = "watch"
    request_timeout = 20.0
    [cache]
    fresh_for = 0
    [platforms.acme]
    adapter = "symphony"
    base_url = "{pod}"
    credentials = {{ mode = "bot", username = "demo", private_key_file = "acme.pem" }}
"""
CALLER = '[[callers]]\nname = "{name}"\nkey_sha256 = "{digest}"\n'
EXCHANGES = 20
CALLERS = 4


class Volume:
    """A mounted folder whose files are exchanged all at once, by a link above them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._versions = 0

    def exchange(self, **files: str) -> None:
        self._versions += 1
        version = self.folder / f"..{self._versions}"
        version.mkdir()
        for name, text in files.items():
            file = version / name.replace("_", ".")
            file.write_text(text)
            file.chmod(0o600)
            if self._versions == 1:
                (self.folder / file.name).symlink_to(Path("..data") / file.name)
        (self.folder / "..new").symlink_to(version.name)
        (self.folder / "..new").rename(self.folder / "..data")


async def test_no_request_fails_and_the_last_exchange_is_in_force(port: int, tmp_path: Path) -> None:
    statuses: list[int] = []
    done = asyncio.Event()
    keys = [KEY, private_key()]

    async def ask(client: httpx.AsyncClient) -> None:
        while not done.is_set():
            statuses.append((await client.get(ASKED)).status_code)

    async with serving(simulator("symphony")) as pod:
        base = CONFIGURATION.format(port=port, pod=pod)
        web, bot = (CALLER.format(name=name, digest=key_digest(key_of(name))) for name in ("web", "bot"))
        volume = Volume(tmp_path)
        volume.exchange(gateway_toml=base + web, acme_pem=keys[0])
        environ = os.environ | {"GATEWAY_CONFIG": str(tmp_path / "gateway.toml")}
        process = await asyncio.create_subprocess_exec(*COMMAND, "serve", stderr=subprocess.PIPE, env=environ)
        try:
            wait = await asyncio.create_subprocess_exec(*COMMAND, "wait", env=environ)
            assert await wait.wait() == 0
            headers = {"X-API-Key": key_of("web")}
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=LONGEST
            ) as client:
                asking = [asyncio.create_task(ask(client)) for _ in range(CALLERS)]
                for number in range(1, EXCHANGES + 1):
                    volume.exchange(
                        gateway_toml=base + web + (bot if number == EXCHANGES else ""), acme_pem=keys[number % 2]
                    )
                    for _ in range(5):
                        process.send_signal(signal.SIGHUP)
                        await asyncio.sleep(0.01)
                async with asyncio.timeout(LONGEST):
                    while (await client.get(ASKED, headers={"X-API-Key": key_of("bot")})).status_code == 401:  # noqa: ASYNC110  another process has no event
                        await asyncio.sleep(0.05)
                done.set()
                await asyncio.gather(*asking)
            process.send_signal(signal.SIGTERM)
            _, errors = await asyncio.wait_for(process.communicate(), LONGEST)
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
    on_duty().read(errors.decode(), "what a process wrote")
    events = [msgspec.json.decode(line)["event"] for line in errors.splitlines()]
    assert events.count("reloaded") >= 2
    assert len(statuses) >= 2 * CALLERS
    assert set(statuses) == {200}
