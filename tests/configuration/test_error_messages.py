"""What is wrong with a configuration is one line that names the key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa as rsa_key

from gateway.config.loader import load
from gateway.config.settings import ConfigurationError
from tests.configuration.files import ACME, CLUB, loaded
from tests.gateways import KEY

SHORT = 1024


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
        (
            CLUB.replace('"caller"', '"token", token_file = "a\\u0000b"'),
            "platforms.club.credentials.token_file: not a path in /",
        ),
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
        *[
            "https://xn--",
            "https://xn--/",
            "https://acme.example/a\\b",
            "https://acme.example/a b",
            "HTTPS://acme.example",
        ],
    ],
)
def test_what_is_no_base_url_is_refused(folder: Path, url: str) -> None:
    text = CLUB.replace('base_url = "https://club.example"', "")
    with pytest.raises(
        ConfigurationError, match=r"platforms\.club\.base_url: expected an absolute http or https URL"
    ):
        loaded(folder, text, GATEWAY_PLATFORMS__CLUB__BASE_URL=url)


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
            "platforms.club.credentials.token: expected a token",
        ),
        ("GATEWAY_PLATFORMS__CLUB", "1", "platforms.club: expected `object`"),
        ("GATEWAY_SERVER__\udcff", "1", "GATEWAY_SERVER__\\udcff: expected a name in ASCII"),
        ("GATEWAY_SERVER__HOST", "a\nb", "server.host: expected"),
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


def test_no_configuration_at_all_says_where_one_is_looked_for() -> None:
    with pytest.raises(
        ConfigurationError, match=r"^platforms: none, as no file was given: --config FILE or GATEWAY_CONFIG"
    ):
        load(None, {"PATH": "/bin"})


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
    ) as caught:
        loaded(folder, ACME)
    said = {"ec": "another kind", "encrypted": "has a password", "public": "a public key", "short": "2048 bits"}[kind]
    assert said in str(caught.value)


@pytest.mark.parametrize("number", ["d", "dmp1", "dmq1", "iqmp"])
def test_a_key_whose_numbers_do_not_fit_together_stops_the_start(folder: Path, number: str) -> None:
    whole = serialization.load_pem_private_key(KEY.encode(), None)
    assert isinstance(whole, rsa_key.RSAPrivateKey)
    numbers = whole.private_numbers()
    kept = {name: getattr(numbers, name) for name in ("p", "q", "d", "dmp1", "dmq1", "iqmp")}
    damaged = rsa_key.RSAPrivateNumbers(
        **kept | {number: kept[number] + 2}, public_numbers=numbers.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    (folder / "acme.pem").write_bytes(
        damaged.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(ConfigurationError, match="the numbers of this one don't fit together"):
        loaded(folder, ACME)


def test_a_key_is_read_without_searching_for_primes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reload would stop every thread for as long as that takes, a tenth of a second and more for each key."""
    load_key = serialization.load_pem_private_key
    asked: list[bool] = []

    def load(data: bytes, password: None, *, unsafe_skip_rsa_key_validation: bool = False) -> object:
        asked.append(unsafe_skip_rsa_key_validation)
        return load_key(data, password, unsafe_skip_rsa_key_validation=unsafe_skip_rsa_key_validation)

    monkeypatch.setattr(serialization, "load_pem_private_key", load)
    loaded(folder, ACME)
    assert asked == [True]
