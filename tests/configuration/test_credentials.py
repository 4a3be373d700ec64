"""Every credential mode: what it needs, what is wrong with it, and what its operator is warned of."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from adapters.settings import ViewerSource
from gateway.config.loader import load
from gateway.config.settings import ConfigurationError, Settings
from tests.configuration.files import ACME, CLUB, loaded
from tests.tls import Authority

WEB = f"""
[[callers]]
name = "web"
key_sha256 = "{"0" * 64}"
"""
OBO = ACME.replace('"bot", username = "bot"', '"obo", app_id = "app"') + WEB
JWT = CLUB.replace('"caller"', '"jwt", secret_file = "long"') + WEB
OAUTH = 'mode = "oauth2", client_id = "c", client_secret_file = "token"'
REFRESH = CLUB.replace('mode = "caller"', OAUTH + ', refresh_token_file = "token"')
PASSWORD = CLUB.replace('mode = "caller"', OAUTH + ', username = "u", password_file = "token"')


@pytest.fixture(autouse=True)
def private(folder: Path) -> None:
    (folder / "long").write_text("x" * 32)
    for file in folder.iterdir():
        file.chmod(0o600)


def credentials(settings: Settings) -> Any:
    (platform,) = settings.platforms.values()
    return platform.credentials


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (ACME, ViewerSource.OWN),
        (OBO, ViewerSource.NAMED),
        (CLUB, ViewerSource.CALLER),
        (JWT, ViewerSource.NAMED),
        (JWT.replace('"jwt"', '"jwt", user_id = 7'), ViewerSource.OWN),
        (REFRESH, ViewerSource.OWN),
        (PASSWORD, ViewerSource.OWN),
    ],
)
def test_every_mode_says_where_the_viewer_comes_from(folder: Path, text: str, source: ViewerSource) -> None:
    settings = loaded(folder, text)
    assert credentials(settings).viewer_source is source
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (OBO.replace('app_id = "app",', ""), "platforms.acme.credentials.app_id: missing"),
        (OBO.replace('"app"', '""'), "platforms.acme.credentials.app_id: expected `str` of length >= 1"),
        (OBO.replace("app_id", "username"), "platforms.acme.credentials.username: unknown key"),
        (
            OBO.replace("acme.pem", "token"),
            "platforms.acme.credentials.private_key_file: expected an unencrypted RSA",
        ),
        (OBO.replace("acme.pem", "empty"), "platforms.acme.credentials.private_key_file: "),
        (OBO.replace("acme.pem", "nowhere"), "platforms.acme.credentials.private_key_file: "),
        (OBO.replace('"obo"', '"jwt"'), "platforms.acme.credentials.mode: expected one of caller, bot, obo"),
        (
            JWT.replace('"jwt"', '"obo"'),
            "platforms.club.credentials.mode: expected one of caller, token, jwt, oauth2",
        ),
        (
            JWT.replace('"jwt"', '"JWT"'),
            "platforms.club.credentials.mode: expected one of caller, token, jwt, oauth2",
        ),
        (JWT.replace(', secret_file = "long"', ""), "platforms.club.credentials.secret_file: missing"),
        (JWT.replace('"long"', '"empty"'), "platforms.club.credentials.secret_file: "),
        (JWT.replace('"jwt"', '"jwt", secret = "x"'), "platforms.club.credentials.secret: a secret does not belong"),
        (JWT.replace('"jwt"', '"jwt", user_id = 0'), "platforms.club.credentials.user_id: expected `int` >= 1"),
        (JWT.replace('"jwt"', '"jwt", user_id = "7"'), "platforms.club.credentials.user_id: expected `int | null`"),
        (JWT.replace('"jwt"', f'"jwt", user_id = {2**63}'), "platforms.club.credentials.user_id: expected"),
        (REFRESH.replace('client_id = "c",', ""), "platforms.club.credentials.client_id: missing"),
        (
            REFRESH.replace('client_secret_file = "token",', ""),
            "platforms.club.credentials.client_secret_file: missing",
        ),
        *(
            (
                CLUB.replace('mode = "caller"', OAUTH + rest),
                "platforms.club.credentials: expected either refresh_token_file",
            )
            for rest in [
                "",
                ', username = "u"',
                ', password_file = "token"',
                ', refresh_token_file = "token", username = "u"',
                ', refresh_token_file = "token", username = "u", password_file = "token"',
            ]
        ),
        (PASSWORD.replace('"u"', '""'), "platforms.club.credentials.username: expected"),
        (CLUB + 'login_url = "x"', "platforms.club.login_url: expected an absolute http or https URL"),
        (CLUB + 'ca_file = "nowhere"', "platforms.club.ca_file: no such file or directory in /"),
        (CLUB + 'ca_file = "acme.pem"', "platforms.club.ca_file: /"),
        (CLUB + 'ca_file = "empty"', "platforms.club.ca_file: /"),
        (CLUB + 'ca_file = "."', "platforms.club.ca_file: /"),
        (CLUB + 'ca_file = "a\\u0000b"', "platforms.club.ca_file: not a path in /"),
        (CLUB + "ca_file = 7", "platforms.club.ca_file: expected"),
        *(
            (CLUB + f'proxy = "{proxy}"', "platforms.club.proxy: expected the http or https URL of a proxy")
            for proxy in ["proxy:3128", "socks5://proxy", "http://u:secret@proxy", "http://proxy/path", "http://", ""]
        ),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_key(folder: Path, text: str, line: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
    assert "secret@" not in str(caught.value)


def test_the_secret_of_a_mode_may_come_from_the_environment(folder: Path) -> None:
    settings = loaded(
        folder,
        JWT.replace(', secret_file = "long"', ""),
        GATEWAY_PLATFORMS__CLUB__CREDENTIALS__SECRET="x" * 40,
        GATEWAY_PLATFORMS__CLUB__CREDENTIALS__USER_ID="7",
    )
    assert credentials(settings).secret.reveal() == "x" * 40
    assert credentials(settings).user_id == 7


def test_a_secret_that_is_no_text_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^platforms\.club\.credentials\.secret: expected text in UTF-8"):
        loaded(
            folder, JWT.replace(', secret_file = "long"', ""), GATEWAY_PLATFORMS__CLUB__CREDENTIALS__SECRET="x\udcff"
        )


def test_files_count_from_the_folder_of_the_configuration(folder: Path) -> None:
    Authority(folder)
    settings = loaded(folder, REFRESH + 'ca_file = "ca.pem"')
    assert credentials(settings).refresh_token_file == str(folder / "token")
    assert settings.platforms["club"].ca_file == str(folder / "ca.pem")


def warned(settings: Settings) -> list[tuple[str, str]]:
    return [(each.setting, each.word) for each in settings.warnings]


@pytest.mark.parametrize(
    ("text", "file", "key"),
    [
        (ACME, "acme.pem", "platforms.acme.credentials.private_key_file"),
        (JWT, "long", "platforms.club.credentials.secret_file"),
        (f'{CLUB}[server]\nhash_key_file = "hash-key"', "hash-key", "server.hash_key_file"),
    ],
)
@pytest.mark.parametrize(("mode", "told"), [(0o644, True), (0o604, True), (0o640, False), (0o400, False)])
def test_a_secret_that_everybody_can_read_is_a_warning(
    folder: Path, text: str, file: str, key: str, mode: int, told: bool
) -> None:
    (folder / file).chmod(mode)
    assert warned(loaded(folder, text)) == ([(key, "readable-by-everyone")] if told else [])


def test_a_secret_in_the_environment_is_nobodys_file(folder: Path) -> None:
    (folder / "long").chmod(0o644)
    assert warned(loaded(folder, JWT, GATEWAY_PLATFORMS__CLUB__CREDENTIALS__SECRET="y" * 32)) == []


def test_a_short_secret_is_a_warning(folder: Path) -> None:
    (folder / "long").write_text("x" * 31)
    assert warned(loaded(folder, JWT)) == [("platforms.club.credentials.secret_file", "short-secret")]


def test_a_refresh_token_that_can_not_be_replaced_is_a_warning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = "refresh-token-not-kept"
    alone = loaded(folder, REFRESH, GATEWAY_PLATFORMS__CLUB__CREDENTIALS__REFRESH_TOKEN="t")
    assert warned(alone) == [("platforms.club.credentials.refresh_token", lost)]
    asked: list[str] = []

    def read_only(path: Path, mode: int) -> bool:
        asked.append(str(path))
        return mode != os.W_OK

    monkeypatch.setattr(os, "access", read_only)
    assert warned(loaded(folder, REFRESH)) == [("platforms.club.credentials.refresh_token_file", lost)]
    assert set(asked) == {str(folder)}


def test_a_refresh_token_that_is_mounted_alone_can_not_be_replaced(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "to ken").write_text("t")
    (folder / "to ken").chmod(0o600)
    text = REFRESH.replace('"token" }', '"to ken" }')
    mounts = tmp_path / "mountinfo"
    monkeypatch.setattr("adapters.selfcommunity.settings.MOUNTS", mounts)
    line = "36 35 98:0 /token {} rw,noatime - ext4 /dev/root rw\n"
    mounts.write_text(line.format(folder) + line.format("/elsewhere"))
    assert warned(loaded(folder, text)) == []
    mounts.write_text(line.format("/elsewhere") + line.format(str(folder / "to ken").replace(" ", "\\040")))
    assert [word for _, word in warned(loaded(folder, text))] == ["refresh-token-not-kept"]
    monkeypatch.setattr("adapters.selfcommunity.settings.MOUNTS", tmp_path / "nowhere")
    assert warned(loaded(folder, text)) == []


def test_a_refresh_token_of_another_user_can_not_be_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would become ours, and its owner could read it no more."""
    monkeypatch.setattr(os, "geteuid", lambda: (folder / "token").stat().st_uid + 1)
    assert [word for _, word in warned(loaded(folder, REFRESH))] == ["refresh-token-not-kept"]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert warned(loaded(folder, REFRESH)) == []


def test_two_platforms_do_not_share_a_refresh_token(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "token")
    other = REFRESH.replace("platforms.club", "platforms.guild").replace(
        'refresh_token_file = "token"', 'refresh_token_file = "link"'
    )
    with pytest.raises(
        ConfigurationError, match=r"^platforms\.guild\.credentials: platforms\.club has the same file"
    ):
        loaded(folder, REFRESH + other)


def test_what_is_no_file_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(ConfigurationError, match=r"^platforms\.club\.credentials\.secret_file: "):
            loaded(folder, JWT.replace('"long"', f'"{name}"'))


def test_a_secret_that_is_too_long_is_not_cut(folder: Path) -> None:
    for size, fits in ((64 * 1024, True), (64 * 1024 + 1, False)):
        (folder / "long").write_text("x" * size)
        if fits:
            assert len(credentials(loaded(folder, JWT)).secret.reveal()) == size
        else:
            with pytest.raises(
                ConfigurationError, match=r"^platforms\.club\.credentials\.secret_file: .*: longer than"
            ):
                loaded(folder, JWT)


@pytest.mark.parametrize(("word", "expected"), [("base_url", "unencrypted"), ("login_url", "unencrypted")])
@pytest.mark.parametrize(
    ("host", "told"), [("club.example", True), ("127.0.0.1:1", False), ("localhost", False), ("[::1]", False)]
)
def test_http_to_another_machine_is_a_warning(folder: Path, word: str, expected: str, host: str, told: bool) -> None:
    environ = {f"GATEWAY_PLATFORMS__CLUB__{word.upper()}": f"http://{host}"}
    assert warned(loaded(folder, CLUB, **environ)) == ([(f"platforms.club.{word}", expected)] if told else [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (OBO.replace("app_id", "username"), "username: unknown key; expected some of mode, app_id, private_key_file"),
        (OBO.replace("app_id", "app"), "app: unknown key; did you mean app_id?"),
        (CLUB.replace('"caller"', '"caller", username = "x"'), "username: unknown key; expected some of mode"),
        (PASSWORD.replace("username", "user"), "user: unknown key; did you mean username?"),
    ],
)
def test_a_suggestion_is_of_the_same_mode(folder: Path, text: str, line: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text)
    assert str(caught.value).partition(".credentials.")[2] == line


def test_no_warning_quotes_a_secret(folder: Path) -> None:
    (folder / "token").chmod(0o644)
    settings = loaded(folder, REFRESH)
    assert settings.warnings
    assert "secret-token" not in re.sub("secret-file", "", repr(settings.warnings))


def test_the_environment_alone_can_configure_every_mode() -> None:
    settings = load(
        None,
        {
            f"GATEWAY_PLATFORMS__CLUB__{key}": text
            for key, text in {
                "ADAPTER": "selfcommunity",
                "BASE_URL": "https://club.example",
                "LOGIN_URL": "https://login.example/oauth",
                "PROXY": "http://proxy.example:3128",
                "CREDENTIALS__MODE": "oauth2",
                "CREDENTIALS__CLIENT_ID": "123",
                "CREDENTIALS__CLIENT_SECRET": "s",
                "CREDENTIALS__USERNAME": "456",
                "CREDENTIALS__PASSWORD": "p",
            }.items()
        },
    )
    found = settings.platforms["club"]
    assert (found.login_url, found.proxy) == ("https://login.example/oauth", "http://proxy.example:3128")
    assert (credentials(settings).client_id, credentials(settings).username) == ("123", "456")
