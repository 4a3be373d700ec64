"""Files that are exchanged as Kubernetes does it: by swapping a symbolic link."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.simulation import serving, simulator
from gateway.config.loader import load
from gateway.config.settings import ConfigurationError, Settings
from gateway.runtime.file_watcher import PERIOD, FileWatcher, WatchedFiles
from tests.clock import virtual
from tests.gateways import KEY
from tests.serving.test_process import ASKED, BOT, LONGEST, started

TEXT = """
[server]
hash_key_file = "secrets/key"
[platforms.club]
adapter = "selfcommunity"
base_url = "https://club.example"
credentials = { mode = "token", token_file = "secrets/token" }
"""


class Volume:
    """A mounted volume: `..data` is a link to the files' folder, and each file is a link through it."""

    def __init__(self, folder: Path, **files: str) -> None:
        self.folder = folder
        self._versions = 0
        self.swap(**files)
        for name in files:
            (folder / name).symlink_to(Path("..data") / name)

    def swap(self, **files: str) -> None:
        """New files take the place of all the old ones, in one step."""
        self._versions += 1
        version = self.folder / f"..version-{self._versions}"
        version.mkdir(parents=True)
        for name, text in files.items():
            (version / name).write_text(text)
            (version / name).chmod(0o600)
        (self.folder / "..next").symlink_to(version.name)
        (self.folder / "..next").rename(self.folder / "..data")


class Watched:
    """A watcher of a configuration, and how often it wanted a reload."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.volume = Volume(folder / "secrets", key="k" * 16, token="first")
        self.file = folder / "gateway.toml"
        self.file.write_text(TEXT)
        self.during_load: Callable[[], None] = lambda: None
        self.files = WatchedFiles(self._load, str(self.file))
        self.files.name(load(self.file, {}))
        self.changes = 0

    def _load(self) -> Settings:
        settings = load(self.file, {})
        self.during_load()
        return settings

    def count(self) -> None:
        self.changes += 1

    async def after(self, looks: int) -> int:
        await asyncio.sleep(looks * PERIOD)
        return self.changes


@asynccontextmanager
async def watched() -> AsyncIterator[Watched]:
    with TemporaryDirectory() as folder:
        one = Watched(Path(folder))
        task = asyncio.create_task(FileWatcher(one.files, one.count).run())
        await asyncio.sleep(PERIOD / 2)
        yield one
        task.cancel()


@virtual
async def test_nothing_happens_while_nothing_changes() -> None:
    async with watched() as it:
        assert await it.after(100) == 0


@virtual
async def test_a_swap_counts_once_it_has_been_there_for_a_look() -> None:
    async with watched() as it:
        it.volume.swap(key="k" * 16, token="second")
        assert await it.after(1) == 0
        assert await it.after(1) == 1
        assert await it.after(10) == 1


@virtual
async def test_what_keeps_changing_is_waited_for() -> None:
    async with watched() as it:
        for number in range(5):
            it.file.write_text(TEXT + "#" * number)
            it.volume.swap(key="k" * 16, token=f"number-{number}")
            assert await it.after(1) == 0
        assert await it.after(1) == 1


@virtual
async def test_a_file_that_goes_is_a_change() -> None:
    async with watched() as it:
        it.file.unlink()
        assert await it.after(2) == 1


@virtual
async def test_a_file_that_is_named_anew_is_watched_from_then_on() -> None:
    async with watched() as it:
        (it.folder / "other").write_text("third")
        (it.folder / "other").chmod(0o600)
        it.file.write_text(TEXT.replace("secrets/token", "other"))
        assert await it.after(2) == 1
        it.files.read()
        (it.folder / "other").write_text("the fourth")
        assert await it.after(3) == 2
        assert await it.after(10) == 2
        it.volume.swap(key="k" * 16, token="fifth")
        assert await it.after(2) == 3  # the key is still there


def test_files_that_change_while_they_are_read_are_read_again(tmp_path: Path) -> None:
    it = Watched(tmp_path)

    def swap_once() -> None:
        it.volume.swap(key="l" * 16, token="second")
        it.during_load = lambda: None

    it.during_load = swap_once
    assert it.files.read() == load(it.file, {})


def test_files_that_never_rest_are_not_taken(tmp_path: Path) -> None:
    it = Watched(tmp_path)
    it.during_load = lambda: it.volume.swap(key="k" * 16, token="again")
    with pytest.raises(ConfigurationError, match="change while they are read"):
        it.files.read()


async def test_a_secret_that_kubernetes_exchanges_is_in_force_without_a_signal(port: int, tmp_path: Path) -> None:
    """The bot logs in anew, with the key that is there now. The pod takes any."""
    volume = Volume(tmp_path / "secrets", key=KEY)
    pod = simulator("symphony")
    mode = BOT.replace('"acme.pem"', '"secrets/key"')
    async with (
        serving(pod) as pod_url,
        started(port, pod_url, tmp_path, mode, server={"reload": "watch"}) as gateway,
        httpx.AsyncClient(base_url=gateway.url) as client,
    ):
        assert (await client.get(ASKED)).status_code == 200
        logins = pod.calls.logins
        volume.swap(key=another_key())
        async with asyncio.timeout(LONGEST):
            while pod.calls.logins == logins:
                assert (await client.get(ASKED, headers={"Cache-Control": "no-cache"})).status_code == 200
        gateway.process.terminate()
        assert await gateway.ended() == 0
    lines = [msgspec.json.decode(line) for line in gateway.errors.splitlines()]
    assert [each["changed"] for each in lines if each["event"] == "reloaded"] == [["platforms.acme.credentials"]]
    assert not [each for each in lines if each["event"] == "not-reloaded"]


def another_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
