"""What the configuration can say, and where it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from gateway.config.loader import load
from gateway.config.settings import ConfigurationError, ServerSettings, Settings
from tests.configuration.files import ACME, CLUB, loaded
from tests.gateways import KEY


def test_settings_that_do_not_go_together_cannot_be_made() -> None:
    with pytest.raises(ConfigurationError, match=r"^platforms: at least one"):
        Settings(server=ServerSettings(), platforms={})


def test_defaults(folder: Path) -> None:
    server = loaded(folder, CLUB).server
    assert (server.host, server.port, server.request_timeout, server.hosts) == ("127.0.0.1", 8080, 2.0, ())


def test_a_secret_comes_from_its_file(folder: Path) -> None:
    text = CLUB.replace('mode = "caller"', 'mode = "token", token_file = "token"')
    settings = loaded(folder, text).platforms["club"]
    assert settings.credentials.token.reveal() == "secret-token"  # type: ignore[attr-defined]
    assert settings.mode == "token"


def test_a_key_is_parsed_at_the_start(folder: Path) -> None:
    settings = loaded(folder, ACME).platforms["acme"]
    assert settings.credentials.private_key.key.key_size == 2048  # type: ignore[attr-defined]


def test_a_pkcs1_key_is_one_too(folder: Path) -> None:
    key = serialization.load_pem_private_key(KEY.encode(), None)
    pkcs1 = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    (folder / "acme.pem").write_bytes(pkcs1)
    assert loaded(folder, ACME).platforms["acme"].mode == "bot"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://club.example/", "https://club.example"),
        ("http://127.0.0.1:9001", "http://127.0.0.1:9001"),
        ("http://[::1]:9001/a/b//", "http://[::1]:9001/a/b"),
        ("http://my_service:80/~x/%7E", "http://my_service:80/~x/%7E"),
    ],
)
def test_a_base_url_may_carry_port_and_path(folder: Path, url: str, kept: str) -> None:
    assert loaded(folder, CLUB, GATEWAY_PLATFORMS__CLUB__BASE_URL=url).platforms["club"].base_url == kept


def test_the_environment_overrides(folder: Path) -> None:
    settings = loaded(
        folder,
        CLUB,
        GATEWAY_SERVER__PORT="9000",
        GATEWAY_SERVER__HOST="127.0.0.2",
        GATEWAY_SERVER__HOSTS='["gateway.example"]',
        GATEWAY_SERVER__ALLOW_ANONYMOUS="true",
        GATEWAY_SERVER__HASH_KEY="0123456789abcdef",
        GATEWAY_SERVICE_HOST="10.0.0.1",
        PATH="/bin",
    )
    assert (settings.server.port, settings.server.host, settings.server.hosts) == (
        9000,
        "127.0.0.2",
        ("gateway.example",),
    )
    assert settings.server.allow_anonymous is True
    assert settings.server.hash_key is not None


def test_the_environment_alone_can_configure() -> None:
    settings = load(
        None,
        {
            "GATEWAY_PLATFORMS__MY_CLUB__ADAPTER": "selfcommunity",
            "GATEWAY_PLATFORMS__MY_CLUB__BASE_URL": "https://club.example",
            "GATEWAY_PLATFORMS__MY_CLUB__CREDENTIALS__MODE": "token",
            "GATEWAY_PLATFORMS__MY_CLUB__CREDENTIALS__TOKEN": "123",
        },
    )
    assert list(settings.platforms) == ["my-club"]
    assert settings.platforms["my-club"].credentials.token.reveal() == "123"  # type: ignore[attr-defined]


def test_a_secret_in_the_environment_wins_over_its_file(folder: Path) -> None:
    text = CLUB.replace('"caller"', '"token", token_file = "nowhere"')
    settings = loaded(folder, text, GATEWAY_PLATFORMS__CLUB__CREDENTIALS__TOKEN="from-outside")
    assert settings.platforms["club"].credentials.token.reveal() == "from-outside"  # type: ignore[attr-defined]


def test_a_platform_may_be_called_what_a_secret_is_called(folder: Path) -> None:
    text = CLUB.replace("club]", "token]").replace('"caller"', '"token", token_file = "token"')
    assert loaded(folder, text).platforms["token"].mode == "token"


def test_a_secret_in_the_environment_is_stripped_as_its_file_is(folder: Path) -> None:
    text = CLUB.replace('"caller"', '"token"')
    settings = loaded(folder, text, GATEWAY_PLATFORMS__CLUB__CREDENTIALS__TOKEN="secret\n")
    assert settings.platforms["club"].credentials.token.reveal() == "secret"  # type: ignore[attr-defined]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "gateway.example"])
def test_an_open_gateway_with_a_credential_does_not_listen_beyond_loopback(folder: Path, host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^server\.host: .*platforms\.acme"):
        loaded(folder, ACME, GATEWAY_SERVER__HOST=host)
    assert loaded(folder, CLUB, GATEWAY_SERVER__HOST=host).server.host == host
    anonymous = {"GATEWAY_SERVER__HOST": host, "GATEWAY_SERVER__ALLOW_ANONYMOUS": "true"}
    assert loaded(folder, ACME, **anonymous).server.host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "localhost", "::1"])
def test_on_loopback_it_may(folder: Path, host: str) -> None:
    assert loaded(folder, ACME, GATEWAY_SERVER__HOST=host).server.host == host
