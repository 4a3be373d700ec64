"""What a process says of a configuration that it can't use: one line, and no trace of Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.canary import on_duty
from tests.configuration.files import CLUB

LONGEST = 60
"""Seconds after which a test that hangs has failed."""
SECRET = "c2VjcmV0LTJmNmM5ZDQx"


def refused(folder: Path, config: str, *, command: str = "serve", **environ: str) -> str:
    """What the process writes, which ends with 2."""
    (folder / "gateway.toml").write_text(config)
    words = [sys.executable, "-m", "gateway", command, "--config", str(folder / "gateway.toml")]
    ended = subprocess.run(  # noqa: S603  our own
        words, capture_output=True, timeout=LONGEST, check=False, env=os.environ | environ, text=True
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    on_duty().read(ended.stderr, "what a process wrote")
    (line,) = ended.stderr.splitlines()
    assert line.isprintable()
    return line.removeprefix("connection-gateway: configuration: ")


@pytest.mark.parametrize("command", ["serve", "check", "openapi"])
def test_a_pipe_that_nobody_writes_to_is_given_up(folder: Path, command: str) -> None:
    os.mkfifo(folder / "pipe")
    line = refused(folder, CLUB, command=command, GATEWAY_CONFIG="unused", GATEWAY_SERVER__HASH_KEY_FILE="pipe")
    assert line == (
        f"server.hash_key_file: {folder}/pipe: expected a file, this is a pipe (GATEWAY_SERVER__HASH_KEY_FILE)"
    )


def test_a_configuration_that_is_such_a_pipe_is_given_up(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    words = [sys.executable, "-m", "gateway", "serve", "--config", str(folder / "pipe")]
    ended = subprocess.run(words, capture_output=True, timeout=LONGEST, check=False, text=True)  # noqa: S603  our own
    said = f"connection-gateway: configuration: {folder}/pipe: could not be read within 5 s\n"
    assert (ended.returncode, ended.stderr) == (2, said)


def test_a_variable_with_many_underscores_is_named(folder: Path) -> None:
    name = "GATEWAY_SERVER" + "__A" * 30_000
    assert refused(folder, CLUB, **{name: "1"}).startswith("GATEWAY_SERVER__A__A")


@pytest.mark.parametrize("text", ["hosts = " + "[" * 100_000, ".".join("a" * 100_000) + " = 1"])
def test_nested_toml_names_its_line(folder: Path, text: str) -> None:
    assert (
        refused(folder, f"{CLUB}[server]\n{text}") == f"{folder}/gateway.toml: nested more than 16 deep (at line 7)"
    )


@pytest.mark.parametrize("command", ["serve", "check"])
def test_a_token_where_its_path_belongs_is_not_printed(folder: Path, command: str) -> None:
    line = refused(folder, CLUB.replace('"caller"', f'"token", token_file = "{SECRET}"'), command=command)
    assert line == f"platforms.club.credentials.token_file: No such file or directory in {folder}"
