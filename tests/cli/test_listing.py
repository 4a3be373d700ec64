"""`list` and `act`: the operator's inbox."""

from __future__ import annotations

import os
import pty
import re
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from adapters.simulation.faults import Fault
from tests.cli.served import Run, Served

TOKEN = {"GATEWAY_TOKEN": "demo"}


def names(text: str) -> list[str]:
    found = [msgspec.json.decode(line) for line in text.splitlines()]
    return [f"{each['platform']}/{each['user_id']}" for each in found]


def test_list_prints_a_document_on_each_line(run: Run, config: str) -> None:
    result = run("list", "--config", config, **TOKEN)
    assert names(result.stdout) == ["acme/102", "acme/103", "club/102", "club/103"]
    assert (result.stderr, result.exit_code) == ("", 0)


def test_list_filters_as_the_api_does(run: Run, config: str) -> None:
    result = run("list", "--config", config, "--platform", "acme", "--status", "rejected", "--status", "connected", "--user-id", "104", "--user-id", "106")  # fmt: skip
    assert names(result.stdout) == ["acme/104", "acme/106"]


def test_list_goes_to_the_end(run: Run, config: str) -> None:
    result = run("list", "--config", config, "--status", "all", **TOKEN)
    assert len(set(names(result.stdout))) == 2 * 1004


def test_list_prints_what_it_has_and_says_what_failed(run: Run, config: str, pod: Served) -> None:
    pod.simulator.misbehave(Fault(path="/list", status=500))
    result = run("list", "--config", config, **TOKEN)
    assert names(result.stdout) == ["club/102", "club/103"]
    assert result.stderr == "connection-gateway: acme: platform-error: the platform answered 500\n"
    assert result.exit_code == 1


def test_list_says_who_failed_and_why(run: Run, config: str, pod: Served) -> None:
    entries = [{"userId": 101, "status": "BLOCKED"}, {"userId": 102, "status": "PENDING_INCOMING"}]
    pod.simulator.misbehave(Fault(path="/list", body=entries))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    down = {"GATEWAY_PLATFORMS__CLUB__BASE_URL": f"http://127.0.0.1:{port}"}
    result = run("list", "--config", config, **TOKEN, **down)
    assert names(result.stdout) == ["acme/102"]
    first, second = result.stderr.splitlines()
    assert first.startswith("connection-gateway: acme/101: platform-invalid-answer: ")
    assert re.fullmatch(r"connection-gateway: club: platform-unreachable: no connection \(.+\)", second)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--platform", "nowhere"), "platform: expected one of acme, club"),
        (("--status", "none"), "status: expected some of connected, pending_incoming"),
        (("--user-id", "01"), "expected a user id: "),
        ((), "platform club: expected the viewer's token, by --token-file or GATEWAY_TOKEN"),
    ],
)
def test_list_says_what_is_wrong_in_one_line(run: Run, config: str, words: tuple[str, ...], text: str) -> None:
    result = run("list", "--config", config, *words)
    assert result.stderr.startswith(f"connection-gateway: {text}")
    assert (result.stdout, result.stderr.count("\n"), result.exit_code) == ("", 1, 2)


def test_one_token_is_for_one_platform(run: Run, config: str) -> None:
    bot = '{ mode = "bot", username = "demo", private_key_file = "acme.pem" }'
    Path(config).write_text(Path(config).read_text().replace(bot, '{ mode = "caller" }'))
    result = run("list", "--config", config, **TOKEN)
    assert result.stderr == "connection-gateway: one token can't be for acme and club: name one platform\n"
    assert result.exit_code == 2
    assert names(run("list", "--config", config, "--platform", "acme", **TOKEN).stdout)


def test_a_terminal_sees_how_far_a_long_list_is(config: str, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with (tmp_path / "lines").open("w") as lines:
        subprocess.run(  # noqa: S603  our own command
            [sys.executable, "-m", "gateway", "list", "--config", config, "--status", "all"],
            check=True,
            stdout=lines,
            stderr=theirs,
            env=os.environ | TOKEN,
        )
    os.close(theirs)
    seen = os.read(ours, 65536).decode()
    os.close(ours)
    assert len((tmp_path / "lines").read_text().splitlines()) == 2 * 1004
    assert "connections" in seen
    assert "2008/2008" in seen


def test_act_prints_the_connection_after_the_action(run: Run, config: str, pod: Served) -> None:
    result = run("act", "--config", config, "acme", "102", "accept")
    assert msgspec.json.decode(result.stdout)["status"] == "connected"
    assert (result.stderr, result.exit_code) == ("", 0)
    assert pod.simulator.platform.connection(1, 102) == "ACCEPTED"


def test_act_takes_the_viewers_token(run: Run, config: str, community: Served) -> None:
    assert run("act", "--config", config, "club", "103", "cancel", **TOKEN).exit_code == 0
    assert community.simulator.platform.connection(1, 103) is None


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (
            ("acme", "103", "accept"),
            1,
            "action-not-possible: the connection is pending_outgoing: no action is possible",
        ),
        (("acme", "106", "remove"), 1, "action-not-possible: the connection is connected: no action is possible"),
        (("acme", "103", "cancel"), 1, "action-not-offered: this platform offers request, accept, reject, remove"),
        (("acme", "103", "dance"), 2, "action: expected one of request, accept, reject, cancel, remove"),
        (("acme", "x", "accept"), 2, "expected a user id: "),
        (("nowhere", "1", "accept"), 2, "platform: expected one of acme, club"),
        (("club", "1", "accept"), 2, "platform club: expected the viewer's token"),
    ],
)
def test_act_says_what_is_wrong_in_one_line(
    run: Run, config: str, words: tuple[str, ...], code: int, text: str
) -> None:
    result = run("act", "--config", config, *words)
    assert result.stderr.startswith(f"connection-gateway: {text}")
    assert (result.stdout, result.stderr.count("\n"), result.exit_code) == ("", 1, code)


def test_an_action_that_nobody_can_read_back_is_unknown(run: Run, config: str, pod: Served) -> None:
    pod.simulator.misbehave(
        Fault(path="/accept", drop=True), Fault(path="/info", times=1, delay=0.001), Fault(path="/info", status=500)
    )
    result = run("act", "--config", config, "acme", "102", "accept")
    assert result.stderr.startswith("connection-gateway: outcome-unknown: ")
    assert result.exit_code == 1
