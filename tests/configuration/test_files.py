"""The configuration and the files that it names: encodings, kinds, permissions, and secrets where a path belongs."""

from __future__ import annotations

import codecs
import os
import threading
from pathlib import Path

import pytest

from adapters import files
from gateway.config.loader import load
from gateway.config.settings import ConfigurationError, Settings
from tests.configuration.files import ACME, CLUB, loaded
from tests.tls import Authority

TOKEN = CLUB.replace('"caller"', '"token", token_file = "token"')
OAUTH = CLUB.replace(
    '"caller"',
    '"oauth2", client_id = "c", client_secret_file = "client", username = "u", password_file = "password"',
)
SECRET = "c2VjcmV0LTJmNmM5ZDQx"


@pytest.fixture(autouse=True)
def private(folder: Path) -> None:
    for file in folder.iterdir():
        file.chmod(0o600)


def token(settings: Settings) -> str:
    text: str = settings.platforms["club"].credentials.token.reveal()  # type: ignore[attr-defined]
    return text


def warned(settings: Settings) -> list[tuple[str, str]]:
    return [(each.setting, each.word) for each in settings.warnings]


def refused(folder: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text)
    return str(caught.value)


def test_a_configuration_may_have_a_byte_order_mark(folder: Path) -> None:
    file = folder / "gateway.toml"
    file.write_bytes(codecs.BOM_UTF8 + CLUB.replace("\n", "\r\n").encode())
    assert load(file, {}).platforms


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_named(folder: Path, encoding: str) -> None:
    file = folder / "gateway.toml"
    file.write_bytes(CLUB.encode(encoding))
    with pytest.raises(ConfigurationError, match=r"/gateway\.toml: expected .*UTF-16"):
        load(file, {})
    (folder / "token").write_bytes("secret-token".encode(encoding))
    assert "/token: expected " in (said := refused(folder, TOKEN))
    assert "UTF-16" in said


@pytest.mark.parametrize("text", ["\ufeffsecret", "secret\r\n", "\ufeffsecret \t\r\n\r\n", "secret\n"])
def test_a_secret_is_without_a_byte_order_mark_and_white_space_around_it(folder: Path, text: str) -> None:
    for name in ("token", "client", "password"):
        (folder / name).write_bytes(text.encode())
        (folder / name).chmod(0o600)
    assert token(loaded(folder, TOKEN)) == "secret"
    oauth = loaded(folder, OAUTH).platforms["club"].credentials
    assert oauth.client_secret.reveal() == oauth.password.reveal() == "secret"  # type: ignore[attr-defined]


def test_a_secret_that_ends_in_white_space_is_written_in_quotes(folder: Path) -> None:
    (folder / "client").write_text('"secret "\r\n')
    (folder / "password").write_text('"quoted"\n')
    oauth = loaded(folder, OAUTH).platforms["club"].credentials
    assert oauth.client_secret.reveal() == "secret "  # type: ignore[attr-defined]
    assert oauth.password.reveal() == '"quoted"'  # type: ignore[attr-defined]


def test_a_key_may_have_a_byte_order_mark_and_windows_line_ends(folder: Path) -> None:
    pem = (folder / "acme.pem").read_text().replace("\n", "\r\n")
    (folder / "acme.pem").write_bytes(codecs.BOM_UTF8 + pem.encode())
    assert loaded(folder, ACME).platforms["acme"].mode == "bot"


@pytest.mark.parametrize("text", ["\ufeff", "\ufeff \r\n", '" "'])
def test_a_secret_that_is_only_white_space_is_none(folder: Path, text: str) -> None:
    (folder / "token").write_text(text)
    assert refused(folder, TOKEN) == f"platforms.club.credentials.token_file: {folder}/token: empty"


@pytest.mark.parametrize("value", [SECRET, f"{SECRET}/{SECRET}", f"/{SECRET}", f"../{SECRET}", SECRET * 100])
def test_a_secret_where_a_path_belongs_is_not_printed(folder: Path, value: str) -> None:
    texts = {
        "platforms.club.credentials.token_file": TOKEN.replace('"token" }', f'"{value}" }}'),
        "platforms.acme.credentials.private_key_file": ACME.replace("acme.pem", value),
        "platforms.club.ca_file": f'{CLUB}ca_file = "{value}"',
        "server.hash_key_file": f'{CLUB}[server]\nhash_key_file = "{value}"',
    }
    for key, text in texts.items():
        assert (said := refused(folder, text)).startswith(f"{key}: ")
        assert SECRET not in said


def test_a_key_where_its_path_belongs_is_not_printed(folder: Path) -> None:
    pem = (folder / "acme.pem").read_text()
    said = refused(folder, ACME.replace('"acme.pem"', f'"""{pem}"""'))
    assert said.startswith("platforms.acme.credentials.private_key_file: ")
    assert not any(line in said for line in pem.splitlines())


def test_a_file_that_exists_is_named(folder: Path) -> None:
    (folder / "token").write_text("")
    assert f"{folder}/token" in refused(folder, TOKEN)
    (folder / "token").unlink()
    (folder / "token").mkdir()
    assert refused(folder, TOKEN).endswith(f"{folder}/token: expected a file, this is a directory")


@pytest.mark.parametrize(
    ("file", "directory", "words"),
    [
        (0o602, 0o700, ["writable-by-everyone"]),
        (0o606, 0o700, ["readable-by-everyone", "writable-by-everyone"]),
        (0o600, 0o777, ["replaceable-by-everyone"]),
        (0o660, 0o1777, []),
    ],
)
def test_files_that_everybody_can_change_are_a_warning(
    folder: Path, file: int, directory: int, words: list[str]
) -> None:
    (folder / "gateway.toml").write_text("")
    Authority(folder).file.chmod(file)
    for name in ("gateway.toml", "token"):
        (folder / name).chmod(file)
    folder.chmod(directory)
    public = [word for word in words if word != "readable-by-everyone"]
    assert warned(loaded(folder, TOKEN + 'ca_file = "ca.pem"')) == [
        *(("config", word) for word in public),
        *(("platforms.club.credentials.token_file", word) for word in words),
        *(("platforms.club.ca_file", word) for word in public),
    ]


@pytest.mark.parametrize(("length", "fits"), [(1, False), (15, False), (16, True)])
def test_a_hash_key_has_at_least_16_characters(folder: Path, length: int, fits: bool) -> None:
    (folder / "hash-key").write_text("é" * length + "\n")
    text = f'{CLUB}[server]\nhash_key_file = "hash-key"'
    if fits:
        assert loaded(folder, text).server.hash_key
    else:
        assert refused(folder, text) == "server.hash_key_file: expected at least 16 characters"


def test_a_configuration_may_come_through_a_pipe_or_be_the_null_device(folder: Path) -> None:
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    pipe.chmod(0o666)
    writer = threading.Thread(target=pipe.write_text, args=(CLUB,))
    writer.start()
    assert load(pipe, {}).warnings == ()
    writer.join()
    with pytest.raises(ConfigurationError, match=r"^platforms: at least one"):
        load(Path("/dev/null"), {})


def test_a_device_without_an_end_is_not_read_to_the_end() -> None:
    with pytest.raises(ConfigurationError, match=r"^/dev/zero: longer than"):
        load(Path("/dev/zero"), {})


@pytest.mark.parametrize("name", ["config", "token", "ca_file"])
def test_a_file_that_hangs_is_given_up(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a mount whose server does not answer, which no test has."""
    hangs = threading.Event()
    waited: list[str] = []
    is_there = Path.stat

    def stat(path: Path, **options: bool) -> os.stat_result:
        if path.name == name and not hangs.is_set():
            waited.append(threading.current_thread().name)
            hangs.wait()
        return is_there(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    monkeypatch.setattr(files, "TIMEOUT", 0.05)
    (folder / "config").write_text(TOKEN + 'ca_file = "ca_file"')
    try:
        with pytest.raises(ConfigurationError, match=r": could not be read within 0\.05 s$"):
            load(folder / "config", {})
    finally:
        hangs.set()
    assert waited == ["read-file"]
