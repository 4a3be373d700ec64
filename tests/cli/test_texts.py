"""Tokens, keys and names that come from elsewhere, as other programs and other systems write them."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.commands import main
from tests.cli.served import Run
from tests.cli.test_keys import KEY, LINE

ASKED = ("club", "102")
PENDING = '"status": "pending_incoming"'


@pytest.mark.parametrize("text", ["demo\r\n", "\ufeffdemo\n", "demo \t"])
def test_a_token_is_read_without_what_is_around_it(run: Run, config: str, tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_bytes(text.encode())
    by_file = run("lookup", "--config", config, "--token-file", str(tmp_path / "token"), *ASKED)
    by_environment = run("lookup", "--config", config, *ASKED, GATEWAY_TOKEN=text)
    assert PENDING in by_file.stdout
    assert PENDING in by_environment.stdout


def test_a_token_may_come_through_a_pipe(run: Run, config: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("demo\n",))
    writer.start()
    assert PENDING in run("lookup", "--config", config, "--token-file", str(pipe), *ASKED).stdout
    writer.join()


def test_a_token_where_its_file_belongs_is_not_printed(run: Run, config: str) -> None:
    result = run("lookup", "--config", config, "--token-file", "c2VjcmV0LTJmNmM5ZDQx", *ASKED)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "connection-gateway: --token-file: No such file or directory in .\n"


def test_a_token_in_utf_16_is_told_as_such(run: Run, config: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes("demo".encode("utf-16"))
    result = run("lookup", "--config", config, "--token-file", str(tmp_path / "token"), *ASKED)
    assert result.exit_code == 2
    assert result.stderr.endswith("/token: expected UTF-8, this is UTF-16 or UTF-32\n")


def test_the_name_of_the_configuration_may_come_from_a_windows_file(run: Run, config: str) -> None:
    assert PENDING in run("lookup", *ASKED, GATEWAY_CONFIG=f"{config}\r", GATEWAY_TOKEN="demo\r").stdout


@pytest.mark.parametrize("text", [f"\ufeff{KEY}\r\n", f"{KEY} \n"])
def test_a_key_is_hashed_without_what_is_around_it(text: str) -> None:
    result = CliRunner().invoke(main, ["hash-key"], input=text.encode())
    assert (result.exit_code, result.stdout) == (0, LINE)


def test_a_key_in_utf_16_is_told_as_such() -> None:
    result = CliRunner().invoke(main, ["hash-key"], input=KEY.encode("utf-16"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "connection-gateway: standard input: expected UTF-8, this is UTF-16 or UTF-32\n"


def test_what_check_prints_of_a_configuration_is_one_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "\x1b[31m\u202egateway.toml"
    file.write_text('[platforms."a\\u001b\\u2028b"]')
    for path in (file, tmp_path / "no\x1b\nwhere"):
        result = run("check", "--config", str(path))
        assert result.exit_code == 2
        assert result.stderr.removesuffix("\n").isprintable()


def test_a_variable_that_is_not_ours_is_a_warning(run: Run, config: str) -> None:
    result = run("check", "--config", config, GATEWAY_API__V2_SERVICE_HOST="10.0.0.1")
    assert result.exit_code == 0
    assert result.stderr == (
        "connection-gateway: warning: GATEWAY_API__V2_SERVICE_HOST:"
        " ignored, as it names no table of the configuration\n"
    )
