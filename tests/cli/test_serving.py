"""`demo`, `serve`, `simulate` and `wait`: what runs, and how it says that it can't."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import msgspec
import pytest

from adapters import ADAPTERS, adapter_name
from gateway import __version__
from tests.cli.served import Run, Served
from tests.gateways import KEY


def test_the_command_says_its_version(run: Run) -> None:
    assert run("--version").output.strip().endswith(__version__)


@pytest.mark.parametrize(
    "command", ["demo", "serve", "check", "lookup", "list", "act", "openapi", "simulate", "wait"]
)
def test_every_command_explains_itself(run: Run, command: str) -> None:
    assert command in run("--help").output
    assert run(command, "--help").exit_code == 0


def test_the_demo_answers_its_own_lines(run: Run) -> None:
    result = run("demo", "--check", "--port", "0")
    lines = result.stdout.splitlines()
    assert [re.sub(r"\d+\.\d+\.\d+\.\d+:\d+", "HOST", line) for line in lines[::2]] == [
        "$ curl -s http://HOST/v1/connections/symphony/103",
        "$ curl -s http://HOST/v1/connections/community/102",
        "$ curl -s http://HOST/v1/platforms",
    ]
    answers = [msgspec.json.decode(line) for line in lines[1::2]]
    assert [each.get("status") for each in answers] == ["pending_outgoing", "pending_incoming", None]
    assert result.exit_code == 0


def test_the_demo_says_where_its_platforms_are(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_server: object, listener: socket.socket) -> None:
        listener.close()

    monkeypatch.setattr("gateway.cli.demo.Server.serve_on", at_once)
    last = run("demo", "--port", "0").stdout.splitlines()[-1]
    place = r"http://127\.0\.0\.1:\d+"
    places = ", ".join(f"{adapter_name(each)} at {place}" for each in ADAPTERS)
    assert re.fullmatch(rf"Simulated behind it, until then: {places}", last)


def test_the_demo_takes_another_port_if_its_own_is_taken(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("demo", "--check", "--port", str(port))
    assert result.exit_code == 0
    assert f":{port}/" not in result.stdout


def test_the_demo_says_so_if_it_does_not_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.cli.demo.PATHS", ["/nowhere"])
    result = run("demo", "--check", "--port", "0")
    assert '"/problems/not-found"' in result.stdout
    assert result.exit_code == 1


@pytest.mark.parametrize("command", [("simulate", "symphony"), ("demo",)])
@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_a_port_is_a_number_that_exists(run: Run, command: tuple[str, ...], port: str) -> None:
    result = run(*command, "--port", port)
    assert "Invalid value for '--port'" in result.stderr
    assert result.exit_code == 2


@pytest.mark.parametrize("timeout", ["nan", "-1", "x"])
def test_a_timeout_is_a_number_of_seconds(run: Run, config: str, timeout: str) -> None:
    result = run("wait", "--config", config, "--timeout", timeout)
    assert "--timeout" in result.stderr
    assert result.exit_code == 2


def test_an_unknown_simulator_is_refused(run: Run) -> None:
    result = run("simulate", "irc")
    assert result.stderr == f"connection-gateway: adapter: expected one of {', '.join(map(adapter_name, ADAPTERS))}\n"
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (("selfcommunity", "--public-key", "KEY"), 2, "--public-key: a simulated selfcommunity checks no signatures"),
        (
            ("symphony", "--public-key", "nowhere"),
            2,
            "--public-key: nowhere: expected a file with a public key in PEM",
        ),
        (("symphony", "--public-key", "KEY"), 2, "--public-key: KEY: expected a file with a public key in PEM"),
        (("symphony", "--port", "PORT"), 1, "--port: Address already in use"),
    ],
)
def test_a_simulator_says_what_is_wrong_in_one_line(
    run: Run, tmp_path: Path, words: tuple[str, ...], code: int, line: str
) -> None:
    (tmp_path / "key").write_text(KEY)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        places = {"KEY": str(tmp_path / "key"), "PORT": str(taken.getsockname()[1])}
        result = run("simulate", *(places.get(word, word) for word in words))
    assert result.stderr.startswith(f"connection-gateway: {line.replace('KEY', places['KEY'])}")
    assert (result.stderr.count("\n"), result.exit_code) == (1, code)


def test_a_taken_port_is_one_line(run: Run, config: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--config", config, GATEWAY_SERVER__PORT=str(port))
    assert result.stderr == f"connection-gateway: server: can't listen on 127.0.0.1:{port}: Address already in use\n"
    assert result.exit_code == 1


def test_wait_gives_up(run: Run, config: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = run("wait", "--config", config, "--timeout", "0", GATEWAY_SERVER__PORT=str(port))
    assert (result.stderr, result.exit_code) == ("connection-gateway: not ready within 0 s\n", 1)


def test_wait_is_not_satisfied_by_whatever_answers(run: Run, config: str, pod: Served) -> None:
    port = pod.url.rpartition(":")[2]
    result = run("wait", "--config", config, "--timeout", "0", GATEWAY_SERVER__PORT=port)
    assert result.exit_code == 1


def test_wait_takes_parts_of_a_second(run: Run, config: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = run("wait", "--config", config, "--timeout", "0.25", GATEWAY_SERVER__PORT=str(port))
    assert (result.stderr, result.exit_code) == ("connection-gateway: not ready within 0.25 s\n", 1)
