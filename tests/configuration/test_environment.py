"""Which variables of the environment are ours, and what is said of those that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.environment import LONGEST_NAME, is_one_edit
from gateway.config.loader import load
from gateway.config.settings import ConfigurationError, Settings
from tests.configuration.files import ACME, CLUB, loaded

TOKEN = CLUB.replace('"caller"', '"token"')
OURS = "GATEWAY_PLATFORMS__CLUB__CREDENTIALS__TOKEN"


def refused(folder: Path, text: str = CLUB, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text, **environ)
    said = str(caught.value)
    assert said.isprintable()
    return said


def warned(settings: Settings) -> list[tuple[str, str]]:
    return [(each.setting, each.word) for each in settings.warnings]


@pytest.mark.parametrize(
    "name",
    [
        "GATEWAY_API__V2_SERVICE_HOST",
        "GATEWAY_API__V2_PORT_80_TCP_PROTO",
        "GATEWAY___",
        "GATEWAY_CONFIG__FILE",
        "GATEWAY_SERVER_A__PORT",
        "GATEWAY_CASH_BOX__X",
    ],
)
def test_a_variable_that_can_not_be_ours_is_a_warning(folder: Path, name: str) -> None:
    assert warned(loaded(folder, CLUB, **{name: "tcp://10.0.0.1:80"})) == [(name, "unknown-variable")]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("GATEWAY_SERVR__PORT", "server"),
        ("GATEWAY_SERVERS__PORT", "server"),
        ("GATEWAY_SERVET__PORT", "server"),
        ("GATEWAY_SEVRER__PORT", "server"),
        ("GATEWAY_PLATFORM__CLUB__BASE_URL", "platforms"),
        ("GATEWAY_CACHED__FRESH_FOR", "cache"),
        ("GATEWAY_CALLER__WEB__NAME", "callers"),
        ("GATEWAY_ACHE__FRESH_FOR", "cache"),
    ],
)
def test_a_variable_that_is_nearly_ours_stops_the_start(folder: Path, name: str, near: str) -> None:
    assert refused(folder, **{name: "1"}) == f"{name}: unknown table; did you mean {near}?"


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("GATEWAY_SERVER__PROT", "1", "server.prot: unknown key; did you mean port?"),
        ("GATEWAY_SERVER__PORT", "0", "server.port: expected `int` >= 1"),
        ("GATEWAY_SERVER__HOSTS", '["a b"]', "server.hosts[0]: expected a name or an address, without a port"),
        ("GATEWAY_PLATFORMS__CLUB__BASEURL", "x", "platforms.club.baseurl: unknown key; did you mean base_url?"),
        ("GATEWAY_PLATFORMS__CLUBB__BASE_URL", "x", "platforms.clubb.adapter: expected one of"),
        ("GATEWAY_PLATFORMS__1CLUB__BASE_URL", "x", "platforms.1club: expected a name"),
        ("GATEWAY_PLATFORMS__X_SERVICE_HOST", "10.0.0.1", "platforms.x-service-host: expected `object`, got `str`"),
        ("GATEWAY_PLATFORMS__CLUB__CREDENTIALS__TOKEN", "x", "platforms.club.credentials.token: unknown key"),
        ("GATEWAY_SERVER__HASH_KEY_FILE", "nowhere", "server.hash_key_file: No such file or directory in "),
        ("GATEWAY_SERVER__HASH_KEY", "0123456789abcde", "server.hash_key: expected at least 16 characters"),
        ("GATEWAY_CALLERS__WEB__NAME", "web", "callers[0].key_sha256: missing"),
        (
            "GATEWAY_CALLERS__WEB__KEY_SHA256",
            "x",
            "callers[0].key_sha256: expected what `connection-gateway hash-key`",
        ),
        ("GATEWAY_CALLERS__WEB__MAY", '["fly"]', "callers[0].may[0]: "),
        ("GATEWAY_CALLERS__WEB__PROT", "1", "callers[0].prot: unknown key"),
        ("GATEWAY_SERVER____PORT", "1", "server.: unknown key"),
    ],
)
def test_what_is_wrong_names_the_variable_that_said_it(folder: Path, name: str, value: str, key: str) -> None:
    said = refused(folder, **{name: value})
    assert said.startswith(key)
    assert said.endswith(f" ({name})")


def test_what_is_wrong_in_the_file_names_no_variable(folder: Path) -> None:
    said = refused(folder, ACME.replace("acme.pem", "nowhere") + "max_calls = 0", GATEWAY_SERVER__PORT="9000")
    assert "GATEWAY_" not in said
    said = refused(folder, GATEWAY_PLATFORMS__CLUB__CREDENTIALS__MODE="token")
    assert said == "platforms.club.credentials.token_file: missing"


@pytest.mark.parametrize("table", ["SERVER", "PLATFORMS", "API"])
@pytest.mark.parametrize("depth", [5, 1_000, 50_000])
def test_a_variable_with_many_underscores_is_one_line(folder: Path, table: str, depth: int) -> None:
    name = f"GATEWAY_{table}" + "__A" * depth
    if table == "API":
        assert warned(loaded(folder, CLUB, **{name: "1"})) == [(name[:LONGEST_NAME], "unknown-variable")]
    else:
        expected = f"{name[:LONGEST_NAME]}: expected at most 4 names, joined by __"
        assert refused(folder, **{name: "1"}) == expected


@pytest.mark.parametrize("value", ["[" * 100_000, "{a=" * 100_000, ".".join("a" * 100_000)])
def test_a_value_that_is_nested_deeply_is_one_line(folder: Path, value: str) -> None:
    assert refused(folder, GATEWAY_SERVER__HOSTS=value).startswith("GATEWAY_SERVER__HOSTS: expected a TOML value")


@pytest.mark.parametrize("name", ["GATEWAY_SERVER__\udcff", "GATEWAY_SERVER__\x1b[31m", "GATEWAY_API__\u202e\x1b\n"])
def test_a_name_is_shown_so_that_a_terminal_stays_as_it_is(folder: Path, name: str) -> None:
    if "API" in name:
        settings = loaded(folder, CLUB, **{name: "1"})
        assert warned(settings) == [("GATEWAY_API__\\u202e\\x1b\\n", "unknown-variable")]
    else:
        assert "GATEWAY_SERVER__\\" in refused(folder, **{name: "1"})


def test_a_secret_is_read_as_from_a_file(folder: Path) -> None:
    for text in ("\ufeffsecret", "secret \t\r\n", "secret\r"):
        assert loaded(folder, TOKEN, **{OURS: text}).platforms["club"].credentials.token.reveal() == "secret"  # type: ignore[attr-defined]
    text = '"pass \\r"\r\n'
    password = {"ID": "c", "SECRET": "s"}
    environ = {f"GATEWAY_PLATFORMS__CLUB__CREDENTIALS__CLIENT_{key}": value for key, value in password.items()}
    environ |= {f"GATEWAY_PLATFORMS__CLUB__CREDENTIALS__{key}": text for key in ("USERNAME", "PASSWORD")}
    oauth = loaded(folder, CLUB.replace('"caller"', '"oauth2"'), **environ).platforms["club"].credentials
    assert oauth.password.reveal() == "pass \r"  # type: ignore[attr-defined]
    assert oauth.username == '"pass \\r"\r\n'  # type: ignore[attr-defined]


def test_the_carriage_return_of_a_windows_file_is_no_part_of_any_value(folder: Path) -> None:
    environ = {"GATEWAY_SERVER__PORT": "9000\r", "GATEWAY_SERVER__HOST": "127.0.0.2\r"}
    server = loaded(folder, CLUB, **environ).server
    assert (server.port, server.host) == (9000, "127.0.0.2")
    with pytest.raises(ConfigurationError, match=r"server\.host: "):
        loaded(folder, CLUB, GATEWAY_SERVER__HOST="127.0.0.2\n")


def test_no_value_is_quoted(folder: Path) -> None:
    secret = "secret-2f6c9d41"
    for name in ("SERVER__PORT", "SERVER__HASH_KEY_FILE", "PLATFORMS__CLUB__BASE_URL", "SERVER__SOCKET_MODE"):
        assert secret not in refused(folder, **{f"GATEWAY_{name}": secret})


def test_the_environment_alone_is_named_too() -> None:
    with pytest.raises(ConfigurationError, match=r"platforms\.club\.base_url: missing \(GATEWAY_PLATFORMS__CLUB__"):
        load(
            None,
            {
                "GATEWAY_PLATFORMS__CLUB__ADAPTER": "selfcommunity",
                "GATEWAY_PLATFORMS__CLUB__CREDENTIALS__MODE": "caller",
            },
        )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("cache", "cache", True),
        ("cache", "cach", True),
        ("cache", "acache", True),
        ("cache", "cacho", True),
        ("cache", "ccahe", True),
        ("cache", "acche", True),
        ("cache", "cac", False),
        ("cache", "cashy", False),
        ("cache", "", False),
        ("cache", "achec", False),
        ("cache", "ehcac", False),
    ],
)
def test_one_typing_error_is_one_edit(one: str, other: str, expected: bool) -> None:
    assert is_one_edit(one, other) is expected
    assert is_one_edit(other, one) is expected
