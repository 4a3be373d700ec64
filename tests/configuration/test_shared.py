"""`[shared]`: where the store is, and under which key."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.settings import ConfigurationError
from tests.configuration.files import CLUB, loaded
from tests.tls import Authority

KEY = "0123456789abcdef" * 4
SHARED = """
[shared]
url = "valkey://cache.example.com"
key_file = "shared-key"
"""


@pytest.fixture
def keys(folder: Path) -> Path:
    (folder / "shared-key").write_text(f"{KEY}\n")
    (folder / "previous-key").write_text(KEY[::-1])
    (folder / "short-key").write_text(KEY[:-1])
    (folder / "password").write_text("open sesame")
    Authority(folder)
    return folder


def test_there_is_none_by_default(folder: Path) -> None:
    assert loaded(folder, CLUB).shared is None


def test_what_it_can_say(keys: Path) -> None:
    more = 'previous_key_file = "previous-key"\npassword_file = "password"\nca_file = "ca.pem"\nprefix = "a"\ntimeout = 0.1\n'
    text = SHARED.replace("valkey://", "valkeys://gateway@").replace('.com"', '.com:7000/3"')
    found = loaded(keys, CLUB + text + more).shared
    assert found is not None
    url = found.url
    assert (url.host, url.port, url.database, url.tls, url.username) == (
        "cache.example.com",
        7000,
        3,
        True,
        "gateway",
    )
    assert (found.key.data, found.prefix, found.timeout) == (bytes.fromhex(KEY), "a", 0.1)
    assert (found.previous_key is not None, found.password is not None) == (True, True)


def test_defaults(keys: Path) -> None:
    found = loaded(keys, CLUB + SHARED).shared
    assert found is not None
    assert (found.url.port, found.url.database, found.url.tls, found.url.socket) == (6379, 0, False, None)
    assert (found.prefix, found.timeout) == ("connection-gateway", 0.05)


def test_a_unix_socket(keys: Path) -> None:
    found = loaded(keys, CLUB + SHARED.replace("valkey://cache.example.com", "unix:///run/valkey.sock")).shared
    assert found is not None
    assert found.url.socket == "/run/valkey.sock"


def test_the_environment_can_say_it(keys: Path) -> None:
    names = {"GATEWAY_SHARED__URL": "redis://cache", "GATEWAY_SHARED__KEY": KEY, "GATEWAY_SHARED__TIMEOUT": "0.2"}
    found = loaded(keys, CLUB, **names).shared
    assert found is not None
    assert (found.url, found.timeout) == ("redis://cache", 0.2)


@pytest.mark.parametrize(
    "url",
    [
        "http://cache.example.com",
        "memcached://cache.example.com",
        "valkey+cluster://cache.example.com",
        "cache.example.com:6379",
        "valkey://",
        "valkey://cache.example.com/x",
        "valkey://cache.example.com/1/2",
        "valkey://cache.example.com:x",
        "valkey://cache.example.com:70000",
        "valkey://user:secret@cache.example.com",
        "valkey://cache.example.com?socket_timeout=10",
        "valkey://cache.example.com#x",
        "unix://",
        "unix://host/run/valkey.sock",
        "valkey://käse.example.com",
        "valkey://[::1",
        "",
    ],
)
def test_urls_that_can_not_be_meant(keys: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^shared\.url: ") as error:
        loaded(keys, CLUB + SHARED.replace("valkey://cache.example.com", url))
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (('"shared-key"', '"short-key"'), "shared.key_file: expected 64 hexadecimal digits"),
        (('"shared-key"', '"password"'), "shared.key_file: expected 64 hexadecimal digits"),
        (('"shared-key"', '"nowhere"'), "shared.key_file: "),
        (('key_file = "shared-key"', ""), "shared.key_file: missing"),
        (('key_file = "shared-key"', f'key = "{KEY}"'), "shared.key: a secret does not belong in this file"),
        (
            ('"shared-key"', '"shared-key"\nprevious_key_file = "shared-key"'),
            "shared.previous_key_file: the same key",
        ),
        (('"shared-key"', '"shared-key"\nca_file = "ca.pem"'), "shared.ca_file: has no effect without TLS"),
        (('"shared-key"', '"shared-key"\ntimeout = 0'), "shared.timeout: expected `float` >= 0.001"),
        (('"shared-key"', '"shared-key"\ntimeout = 5'), "shared.timeout: expected `float` <= 1"),
        (('"shared-key"', '"shared-key"\nprefix = "a:b"'), "shared.prefix: "),
        (('"shared-key"', '"shared-key"\nprefix = ""'), "shared.prefix: "),
        (('"shared-key"', '"shared-key"\npassword = "x"'), "shared.password: a secret does not belong in this file"),
        (("[shared]", "[shard]"), "shard: unknown table"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(keys: Path, change: tuple[str, str], line: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        loaded(keys, CLUB + SHARED.replace(*change))
    assert str(error.value).startswith(line)
