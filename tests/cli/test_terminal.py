"""The operator's terminal: nothing that others wrote moves its cursor, ends a line or sets its title."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from adapters.simulation.faults import Fault
from gateway.config.printable import printable, printable_json
from tests.cli.served import Run, Served

HOSTILE = (
    "demo\nacme: ok\r\x1b[2J\x1b]0;title\x07\x08\x7f\x9b31m\u0085\u200b\u200e\u202e\u2066\u2028\u2029\ufeff\U000e0041"
)
ESCAPED = (
    r"demo\nacme: ok\r\x1b[2J\x1b]0;title\x07\x08\x7f\x9b31m\x85\u200b\u200e\u202e\u2066\u2028\u2029\ufeff\U000e0041"
)


def on_terminal(*words: str, **environ: str) -> str:
    """What a command shows on a terminal, its own line ends aside."""
    ours, theirs = pty.openpty()
    subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "gateway", *words], check=False, stdout=theirs, stderr=theirs, env=os.environ | environ
    )
    os.close(theirs)
    seen = os.read(ours, 65536).decode().replace("\r\n", "\n")
    os.close(ours)
    return seen


def test_check_shows_a_hostile_name_escaped_and_in_its_line(config: str, pod: Served) -> None:
    pod.simulator.misbehave(Fault(path="/sessioninfo", body={"id": 1, "username": HOSTILE}))
    assert on_terminal("check", "--config", config).splitlines() == [
        "configuration: ok",
        f"acme (symphony/bot): ok: it takes us for {ESCAPED}",
        "club (selfcommunity/caller): ok: it answers; callers bring their own tokens",
    ]


@pytest.mark.parametrize("letter", ["x", "\U0001f600", "\u202e"])
def test_a_name_is_cut_at_64_characters(run: Run, config: str, pod: Served, letter: str) -> None:
    pod.simulator.misbehave(Fault(path="/sessioninfo", body={"id": 1, "username": letter * 64}))
    whole = run("check", "--config", config).stdout
    pod.simulator.misbehave(Fault(path="/sessioninfo", body={"id": 1, "username": letter * 100_000}))
    cut = run("check", "--config", config).stdout
    assert cut == whole.replace(printable(letter) * 64, printable(letter) * 64 + "…")


def test_names_in_any_script_are_shown_as_they_are(run: Run, config: str, pod: Served) -> None:
    for name in ("Jörg", "ועדה", "山田　太郎", "e\u0301", "\U0001f600"):
        pod.simulator.misbehave(Fault(path="/sessioninfo", body={"id": 1, "username": name}))
        assert f"it takes us for {name}\n" in run("check", "--config", config).stdout


def test_a_terminal_without_a_character_shows_its_escape(config: str, pod: Served) -> None:
    pod.simulator.misbehave(Fault(path="/sessioninfo", body={"id": 1, "username": "Jörg"}))
    shown = on_terminal("check", "--config", config, PYTHONIOENCODING="ascii")
    assert r"it takes us for J\xf6rg" in shown
    assert "Traceback" not in shown


def test_a_file_with_a_hostile_name_is_named_in_one_line(tmp_path: Path) -> None:
    shown = on_terminal("check", "--config", str(tmp_path / "a\x1b[2J\u202eb"))
    assert (
        shown == f"connection-gateway: configuration: {tmp_path}/" + r"a\x1b[2J\u202eb: No such file or directory"
        "\n"
    )


def test_a_key_with_a_hostile_name_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text('[server]\n"a\\u001b[2J\\u202e" = 1\n')
    shown = on_terminal("check", "--config", str(tmp_path / "gateway.toml"))
    assert shown.startswith(r"connection-gateway: configuration: server.a\x1b[2J\u202e: unknown key")
    assert shown.count("\n") == 1


def test_json_stays_the_same_document() -> None:
    for indent in (-1, 2):
        document = msgspec.json.format(msgspec.json.encode({HOSTILE: [HOSTILE, "Jörg"]}), indent=indent)
        shown = printable_json(document)
        assert msgspec.json.decode(shown) == {HOSTILE: [HOSTILE, "Jörg"]}
        assert printable(shown.decode().replace("\n", "")) == shown.decode().replace("\n", "")
        assert "Jörg" in shown.decode()
