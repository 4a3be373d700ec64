"""`jwt_key_file` of `[[callers]]`: which files it takes, and what is wrong with another."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as elliptic
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.config.public_keys import PublicKeyFile
from gateway.config.settings import ConfigurationError
from tests.callers.tokens import ED, RSA, jwk, key_set, pem
from tests.configuration.files import CLUB, loaded
from tests.gateways import KEY

PAGE = """
[[callers]]
name = "page"
jwt_key_file = "page.pem"
jwt_issuer = "https://page.example"
jwt_audience = "https://gateway.example"
"""
PRIVATE = "this is a secret or private key"
SHORT = generate_private_key(65537, 1024)  # noqa: S505  to see it refused


def of(key: Any) -> str:
    """Another kind of key, in PEM."""
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


@pytest.fixture
def file(folder: Path) -> Path:
    return folder / "page.pem"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (pem(RSA), [(None, "RS256")]),
        (pem(ED), [(None, "EdDSA")]),
        ("\ufeff" + pem(RSA).replace("\n", "\r\n"), [(None, "RS256")]),
        ("The page's key\n" + pem(ED), [(None, "EdDSA")]),
        (key_set(jwk("a", RSA)), [("a", "RS256")]),
        (
            key_set(jwk("a", RSA, alg="RS256", use="sig"), jwk("b", ED, key_ops=["verify"], x5t="unread")),
            [("a", "RS256"), ("b", "EdDSA")],
        ),
    ],
)
def test_the_keys_of_a_file(folder: Path, file: Path, content: str, found: list[tuple[str | None, str]]) -> None:
    file.write_text(content)
    (page,) = loaded(folder, CLUB + PAGE).callers
    assert page.jwt_key_file is not None
    assert [(key.kid, key.algorithm) for key in page.jwt_key_file.keys] == found
    assert (page.digests, page.jwt_issuer) == ((), "https://page.example")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "expected an RSA or Ed25519 public key in PEM"),
        ("secret", "expected an RSA or Ed25519 public key in PEM"),
        (KEY, "in PEM, this is a private key"),
        (pem(RSA) + pem(ED), "and one only; several are given as a JSON Web Key Set"),
        (pem(RSA).replace("PUBLIC KEY", "CERTIFICATE"), "expected an RSA or Ed25519 public key in PEM"),
        (pem(RSA)[:200], "expected an RSA or Ed25519 public key in PEM"),
        (of(SHORT), "expected an RSA key of 2048 to 8192 bits"),
        (of(elliptic(SECP256R1())), "expected an RSA or Ed25519 public key"),
        (of(Ed448PrivateKey.generate()), "expected an RSA or Ed25519 public key"),
        ("{", "expected a JSON Web Key Set, or a public key in PEM"),
        ("{}", "expected a JSON Web Key Set: Object missing required field `keys`"),
        ('{"keys":[]}', "expected a JSON Web Key Set: "),
        ('{"keys":[],"keys":[]}', "expected a JSON Web Key Set, or"),
        (key_set(jwk("a", RSA) | {"kid": 1}), "expected a JSON Web Key Set: "),
        (key_set({"kty": "RSA", "n": "AQ", "e": "AQAB"}), "keys[0]: Object missing required field `kid`"),
        (str(jwk("a", RSA)).replace("'", '"'), "missing required field `keys`"),
        (key_set(jwk("", RSA)), "expected a JSON Web Key Set: "),
        (key_set(jwk("a", RSA), jwk("a", ED)), "keys[1].kid: another key has it as well"),
        (key_set(jwk("a", RSA, d="AQ")), f"keys[0]: expected an RSA or Ed25519 public key, {PRIVATE}"),
        (key_set({"kty": "oct", "kid": "a", "k": "c2VjcmV0"}), PRIVATE),
        (key_set(jwk("a", ED, d=None)), PRIVATE),
        (key_set({"kty": "EC", "crv": "P-256", "kid": "a", "x": "AQ", "y": "AQ"}), "keys[0]: expected an RSA or"),
        (key_set(jwk("a", ED) | {"crv": "Ed448"}), "keys[0]: expected an RSA or Ed25519 public key"),
        (key_set(jwk("a", RSA, alg="HS256")), "keys[0].alg: expected RS256"),
        (key_set(jwk("a", RSA, alg="RS512")), "keys[0].alg: expected RS256"),
        (key_set(jwk("a", ED, alg="RS256")), "keys[0].alg: expected EdDSA"),
        (key_set(jwk("a", RSA, use="enc")), "keys[0]: expected a key for signatures"),
        (key_set(jwk("a", RSA, key_ops=["encrypt"])), "keys[0]: expected a key for signatures"),
        (key_set(jwk("a", SHORT)), "keys[0]: expected an RSA key of 2048 to 8192 bits"),
        (key_set(jwk("a", RSA) | {"e": "AQ"}), "keys[0]: expected an RSA or Ed25519 public key"),
        (key_set(jwk("a", ED) | {"x": "AQ"}), "keys[0]: expected an RSA or Ed25519 public key"),
        (key_set({"kty": "RSA", "kid": "a"}), "keys[0]: expected an RSA or Ed25519 public key"),
        ("x" * 65_537, "longer than 65536 bytes"),
    ],
)
def test_what_is_no_public_key_stops_the_start(folder: Path, file: Path, content: str, told: str) -> None:
    file.write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, CLUB + PAGE)
    assert str(caught.value).startswith("callers[0].jwt_key_file: ")
    assert told in str(caught.value)
    assert content[-40:-30].strip() == "" or content[-40:-30] not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (PAGE.replace("page.pem", "nowhere.pem"), "callers[0].jwt_key_file: no such file or directory in "),
        (PAGE.replace('"page.pem"', "3"), "callers[0].jwt_key_file: expected text"),
        (PAGE.replace("page.pem", "."), "callers[0].jwt_key_file: "),
        (PAGE + f'key_sha256 = "{"0" * 64}"', "callers[0].jwt_key_file: expected this or key_sha256, not both"),
        (PAGE.replace('jwt_issuer = "https://page.example"', ""), "callers[0].jwt_issuer: missing"),
        (PAGE.replace('jwt_audience = "https://gateway.example"', ""), "callers[0].jwt_audience: missing"),
        (PAGE.replace("https://page.example", ""), "callers[0].jwt_issuer: "),
        (
            PAGE.replace("jwt_key_file", "jwt_key_fil"),
            "callers[0].jwt_key_fil: unknown key; did you mean jwt_key_file",
        ),
        (
            PAGE.replace('jwt_key_file = "page.pem"', f'key_sha256 = "{"0" * 64}"'),
            "callers[0].jwt_issuer: has no effect without jwt_key_file",
        ),
        (PAGE.replace('jwt_key_file = "page.pem"', ""), "callers[0].key_sha256: missing; or give jwt_key_file"),
        (PAGE + PAGE.replace('"page"', '"other"'), "callers[1].jwt_issuer: another caller has it as well"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_key(folder: Path, file: Path, text: str, line: str) -> None:
    file.write_text(pem(RSA))
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text + CLUB)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_a_key_written_where_its_path_belongs_is_not_quoted(folder: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, CLUB + PAGE.replace("page.pem", "canary-key-8d1f"))
    assert "canary" not in str(caught.value)


def test_a_pipe_that_nobody_writes_to_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "page.pem")
    with pytest.raises(ConfigurationError, match=r"^callers\[0\]\.jwt_key_file: .*expected a file, this is a pipe"):
        loaded(folder, CLUB + PAGE)


def test_one_who_can_exchange_the_key_is_a_warning(folder: Path, file: Path) -> None:
    file.write_text(pem(RSA))
    assert loaded(folder, CLUB + PAGE).warnings == ()
    file.chmod(0o666)
    folder.chmod(0o777)
    warned = [each for each in loaded(folder, CLUB + PAGE).warnings if each.setting != "config"]
    assert [(each.setting, each.word) for each in warned] == [
        ("callers[0].jwt_key_file", "writable-by-everyone"),
        ("callers[0].jwt_key_file", "replaceable-by-everyone"),
    ]


def test_a_key_is_found_by_its_name_in_a_set_and_by_any_name_alone(file: Path) -> None:
    file.write_text(key_set(jwk("a", RSA), jwk("b", ED)))
    found = PublicKeyFile(str(file))
    assert [key and key.kid for key in map(found.find, ("a", "b", "c", None))] == ["a", "b", None, None]
    file.write_text(pem(ED))
    found = PublicKeyFile(str(file))
    assert {key and key.algorithm for key in map(found.find, ("a", None))} == {"EdDSA"}
