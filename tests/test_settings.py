"""The configuration: what it can say, and the one line that says what is wrong with it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa as rsa_key

from gateway import conversion
from gateway.settings import ConfigurationError, Settings
from gateway.sources import load
from tests.gateways import KEY

EXAMPLE = Path(__file__).parent.parent / "config" / "gateway.example.toml"
SHORT = 1024
CLUB = """
[platforms.club]
adapter = "selfcommunity"
base_url = "https://club.example"
credentials = { mode = "caller" }
"""
ACME = """
[platforms.acme]
adapter = "symphony"
base_url = "https://acme.example"
credentials = { mode = "bot", username = "bot", private_key_file = "acme.pem" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "acme.pem").write_text(KEY)
    (tmp_path / "token").write_text("secret-token\n")
    (tmp_path / "spaced").write_text("a b")
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    return tmp_path


def loaded(folder: Path, text: str, **environ: str) -> Settings:
    file = folder / "gateway.toml"
    file.write_text(text)
    return load(file, environ)


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
    ("text", "line"),
    [
        ("", "platforms: at least one [platforms.NAME] is needed"),
        ("[caller]", "caller: unknown table"),
        ("platforms = 3", "platforms: expected `object`, got `int`"),
        ("[platforms]\nclub = 3", "platforms.club: expected `object`, got `int`"),
        (
            CLUB.replace("club]", "Club]"),
            "platforms.Club: expected a name of 1 to 32 of a-z, 0-9 and -, a letter first",
        ),
        (CLUB.replace("club]", "1club]"), "platforms.1club: expected a name"),
        (CLUB.replace("club]", f"{'c' * 33}]"), f"platforms.{'c' * 33}: expected a name"),
        (CLUB + 'baseurl = "x"', "platforms.club.baseurl: unknown key; did you mean base_url?"),
        (CLUB + "xyzzy = 1", "platforms.club.xyzzy: unknown key"),
        (
            CLUB.replace('adapter = "selfcommunity"', ""),
            "platforms.club.adapter: expected one of symphony, selfcommunity",
        ),
        (CLUB.replace('"selfcommunity"', "[]"), "platforms.club.adapter: expected one of symphony, selfcommunity"),
        (CLUB.replace("club]", '"a\\nb"]'), "platforms.a b: expected a name"),
        (CLUB + '"x\\ny" = 1', "platforms.club.x y: unknown key"),
        (CLUB.replace("selfcommunity", "irc"), "platforms.club.adapter: expected one of symphony, selfcommunity"),
        (CLUB.replace('"caller"', '"bot"'), "platforms.club.credentials.mode: expected one of caller, token"),
        (CLUB.replace('mode = "caller"', ""), "platforms.club.credentials.mode: missing"),
        (
            CLUB.replace("credentials", "credential"),
            "platforms.club.credential: unknown key; did you mean credentials?",
        ),
        (CLUB.replace('{ mode = "caller" }', "3"), "platforms.club.credentials: expected `object`, got `int`"),
        (CLUB.replace('base_url = "https://club.example"', ""), "platforms.club.base_url: missing"),
        (CLUB.replace('"https://club.example"', "3"), "platforms.club.base_url: expected text"),
        (CLUB.replace('"caller"', '"token"'), "platforms.club.credentials.token_file: missing"),
        (
            CLUB.replace('"caller"', '"token", token = "x"'),
            "platforms.club.credentials.token: a secret does not belong",
        ),
        (CLUB.replace('"caller"', '"token", token_file = "no"'), "platforms.club.credentials.token_file: "),
        (CLUB.replace('"caller"', '"token", token_file = "empty"'), "platforms.club.credentials.token_file: "),
        (CLUB.replace('"caller"', '"token", token_file = "binary"'), "platforms.club.credentials.token_file: "),
        (CLUB.replace('"caller"', '"token", token_file = 3'), "platforms.club.credentials.token_file: expected `str"),
        (
            CLUB.replace('"caller"', '"caller", token_file = "token"'),
            "platforms.club.credentials.token_file: unknown key",
        ),
        (
            ACME.replace("acme.pem", "token"),
            "platforms.acme.credentials.private_key_file: expected an unencrypted RSA",
        ),
        (ACME.replace('username = "bot",', ""), "platforms.acme.credentials.username: missing"),
        (
            ACME.replace('username = "bot"', 'username = ""'),
            "platforms.acme.credentials.username: expected `str` of length >= 1",
        ),
        (f"{CLUB}[server]\nport = 0", "server.port: expected `int` >= 1"),
        (f"{CLUB}[server]\nport = 65536", "server.port: expected `int` <= 65535"),
        (f'{CLUB}[server]\nport = "80"', "server.port: expected `int`, got `str`"),
        (f"{CLUB}[server]\nrequest_timeout = 0", "server.request_timeout: expected `float` > 0"),
        (f"{CLUB}[server]\nrequest_timeout = nan", "server.request_timeout: expected `float`"),
        (f"{CLUB}[server]\nrequest_timeout = inf", "server.request_timeout: expected `float` <= 300"),
        (f"{CLUB}[server]\nhosts = [1]", "server.hosts[0]: expected text"),
        (
            f'{CLUB}[server]\nhosts = ["a.b", "c.d:80"]',
            "server.hosts[1]: expected a name or an address, without a port",
        ),
        (f'{CLUB}[server]\nhosts = ["http://a.b"]', "server.hosts[0]: expected a name or an address, without a port"),
        (f'{CLUB}[server]\nhosts = [""]', "server.hosts[0]: expected a name or an address, without a port"),
        (f"{CLUB}[server]\nhots = []", "server.hots: unknown key; did you mean host"),
        (
            f'{CLUB}[server]\nhash_key = "x"',
            "server.hash_key: a secret does not belong in this file; use hash_key_file",
        ),
        (f"{CLUB}[server", "gateway.toml: "),
        (f"{CLUB}[server]\nport = {'9' * 5000}", "gateway.toml: "),
        (f"{CLUB}[server]\nhosts = {'[' * 5000}", "gateway.toml: "),
        (CLUB.replace('"caller"', '"token", token_file = "a\\u0000b"'), "platforms.club.credentials.token_file: '/"),
        ("\x00", "gateway.toml: "),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_key(folder: Path, text: str, line: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text)
    assert re.sub(r"^.*/gateway.toml", "gateway.toml", str(caught.value)).startswith(line)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None or "secret" not in str(caught.value.__cause__)


@pytest.mark.parametrize(
    "url",
    [
        *["acme.example", "ftp://acme.example", "https://", "https:///path", "//acme.example", "https://a b", ""],
        *["https://u:p@acme.example", "https://acme.example?x", "https://acme.example#x", "https://acme.example:0"],
        *["https://acme.example:99999", "https://acme.example:x", "https://acmé.example", "https://acme.example\n"],
        *[
            "https://999.1.1.1",
            "https://:443",
            "https://.",
            "https://a..b",
            "http://a:",
            f"https://{'a' * 65}.b",
            "http://[x]",
        ],
        *["https://acme.example/a\\b", "https://acme.example/a b", "HTTPS://acme.example"],
    ],
)
def test_what_is_no_base_url_is_refused(folder: Path, url: str) -> None:
    text = CLUB.replace('base_url = "https://club.example"', "")
    with pytest.raises(
        ConfigurationError, match=r"platforms\.club\.base_url: expected an absolute http or https URL"
    ):
        loaded(folder, text, GATEWAY_PLATFORMS__CLUB__BASE_URL=url)


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
        GATEWAY_SERVER__HASH_KEY="key",
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


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("GATEWAY_SERVER__HASH_KEY", "", "GATEWAY_SERVER__HASH_KEY: empty"),
        ("GATEWAY_SERVER__HASH_KEY", " \n", "GATEWAY_SERVER__HASH_KEY: empty"),
        ("GATEWAY_SERVER__PORT", "eighty", "GATEWAY_SERVER__PORT: expected a TOML value"),
        ("GATEWAY_SERVER__PORT", "1\n[x]", "GATEWAY_SERVER__PORT: expected a TOML value"),
        ("GATEWAY_SERVER__PROT", "1", "server.prot: unknown key; did you mean port?"),
        ("GATEWAY_SERVER__PORT__X", "1", "GATEWAY_SERVER__PORT__X: port is not a table"),
        (
            "GATEWAY_PLATFORMS__CLUB__CREDENTIALS__TOKEN",
            "a b",
            "platforms.club.credentials.token_file: expected a token",
        ),
        ("GATEWAY_PLATFORMS__CLUB", "1", "platforms.club: expected `object`"),
        ("GATEWAY___", "1", ": unknown table"),
    ],
)
def test_a_wrong_override_is_one_line(folder: Path, name: str, value: str, line: str) -> None:
    text = CLUB.replace('"caller"', '"token", token_file = "token"') + "[server]\nport = 80\n"
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text, **{name: value})
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml: No such file"):
        load(tmp_path / "nowhere.toml", {})


@pytest.mark.parametrize("kind", ["ec", "encrypted", "public", "short"])
def test_a_key_of_another_kind_stops_the_start(folder: Path, kind: str) -> None:
    rsa = serialization.load_pem_private_key(KEY.encode(), None)
    pem = {
        "ec": lambda: ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        "encrypted": lambda: rsa.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        ),
        "short": lambda: rsa_key.generate_private_key(65537, SHORT).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        "public": lambda: rsa.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    }[kind]()
    (folder / "acme.pem").write_bytes(pem)
    with pytest.raises(
        ConfigurationError, match=r"^platforms\.acme\.credentials\.private_key_file: expected an .*RSA"
    ):
        loaded(folder, ACME)


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


def test_the_example_shows_every_key_once() -> None:
    shown = [
        line.removeprefix("# ").partition("=")[0].strip()
        for line in EXAMPLE.read_text().splitlines()
        if re.match(r"(# )?\w+ = ", line)
    ]
    inline = re.findall(r"[{,] (\w+) = ", EXAMPLE.read_text())
    known = {path[-1] for path, _ in conversion.LEAVES} - {path[-1] for path in conversion.SECRETS}
    assert set(shown) | set(inline) >= known
    assert set(shown) | set(inline) - known <= known | {"credentials"}
    server = EXAMPLE.read_text().partition("[platforms")[0]
    assert [key for key in known if len(re.findall(rf"^(?:# )?{key} = ", server, re.MULTILINE)) > 1] == []


def test_the_example_loads_as_it_stands(folder: Path) -> None:
    text = EXAMPLE.read_text()
    for path in re.findall(r'_file = "([^"]+)"', text):
        text = text.replace(path, "acme.pem" if path.endswith(".pem") else "token")
    settings = loaded(folder, text)
    assert {each.mode for each in settings.platforms.values()} == {"bot", "token", "caller"}


def test_the_example_loads_with_every_line_of_it_in_force(folder: Path) -> None:
    text = re.sub(r"^# (?=\w+ = )", "", EXAMPLE.read_text(), flags=re.MULTILINE)
    for path in re.findall(r'_file = "([^"]+)"', text):
        text = text.replace(path, "acme.pem" if path.endswith(".pem") else "token")
    tomllib.loads(text)
    assert loaded(folder, text).server.hash_key is not None
