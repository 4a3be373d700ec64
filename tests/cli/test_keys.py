"""`hash-key`: the line that lets a caller in."""

from __future__ import annotations

import hashlib
import tomllib

import pytest
from click.testing import CliRunner

from gateway.cli.commands import main
from tests.cli.served import Run

KEY = "0123456789abcdef0123456789abcdef"
LINE = f'key_sha256 = "{hashlib.sha256(KEY.encode()).hexdigest()}"\n'


def test_hash_key_hashes_its_argument(run: Run) -> None:
    result = run("hash-key", KEY)
    assert (result.exit_code, result.stdout, result.stderr) == (0, LINE, "")
    assert tomllib.loads(result.stdout)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_hash_key_hashes_what_it_reads(end: str) -> None:
    result = CliRunner().invoke(main, ["hash-key"], input=KEY + end)
    assert (result.exit_code, result.stdout) == (0, LINE)


def test_what_is_no_text_is_no_key() -> None:
    result = CliRunner().invoke(main, ["hash-key"], input=b"\xff\xfe")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "\\xff" not in result.stderr


@pytest.mark.parametrize("key", ["", " ", "a b", "clé", "a\nb", "x" * 8193])
def test_what_could_not_travel_is_no_key(run: Run, key: str) -> None:
    result = run("hash-key", key)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "connection-gateway: expected a key: visible ASCII characters, without spaces\n"


def test_a_short_key_is_a_warning(run: Run) -> None:
    result = run("hash-key", "short")
    assert result.exit_code == 0
    assert result.stdout.startswith("key_sha256")
    assert result.stderr.startswith("connection-gateway: warning: fewer than 32 characters")
