"""The command line, as the operator has it."""

from __future__ import annotations

import asyncio
import http.client
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from adapters.contract import Unreachable
from adapters.secret import Token
from adapters.simulation import Simulator, serving, simulator
from adapters.simulation.faults import Fault
from gateway import __version__, commands
from gateway.cli import main
from gateway.conversion import from_tables
from tests import wire
from tests.gateways import KEY, running

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command; the environment is this test's alone."""
    monkeypatch.delenv("GATEWAY_CONFIG", raising=False)

    def run(*words: str, **environ: str) -> Result:
        return CliRunner().invoke(main, words, env=environ, catch_exceptions=False)

    return run


class Served:
    """A simulator on a port of its own, in a loop of its own: a command runs a loop itself."""

    def __init__(self, adapter: str) -> None:
        self.simulator: Simulator = simulator(adapter)
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        async with serving(self.simulator) as self.url:
            self._ready.set()
            await self._stop.wait()

    def __enter__(self) -> Served:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def pod() -> Iterator[Served]:
    with Served("symphony") as served:
        yield served


@pytest.fixture
def community() -> Iterator[Served]:
    with Served("selfcommunity") as served:
        yield served


@pytest.fixture
def config(tmp_path: Path, pod: Served, community: Served) -> str:
    (tmp_path / "acme.pem").write_text(KEY)
    file = tmp_path / "gateway.toml"
    file.write_text(f"""
        [platforms.acme]
        adapter = "symphony"
        base_url = "{pod.url}"
        credentials = {{ mode = "bot", username = "demo", private_key_file = "acme.pem" }}
        [platforms.club]
        adapter = "selfcommunity"
        base_url = "{community.url}"
        credentials = {{ mode = "caller" }}
    """)
    return str(file)


def test_it_says_its_version(run: Run) -> None:
    assert run("--version").output.strip().endswith(__version__)


@pytest.mark.parametrize("command", ["demo", "serve", "check", "lookup", "simulate", "wait"])
def test_every_command_explains_itself(run: Run, command: str) -> None:
    assert command in run("--help").output
    assert run(command, "--help").exit_code == 0


def test_check_says_for_whom_each_platform_takes_us(run: Run, config: str) -> None:
    result = run("check", "--config", config)
    assert result.output.splitlines() == [
        "configuration: ok",
        "acme (symphony/bot): ok: it takes us for demo",
        "club (selfcommunity/caller): ok: it answers; callers bring their own tokens",
    ]
    assert result.exit_code == 0


def test_check_finds_a_refused_credential(run: Run, config: str) -> None:
    result = run("check", "--config", config, GATEWAY_PLATFORMS__ACME__CREDENTIALS__USERNAME="nobody")
    assert "acme (symphony/bot): platform-credential-refused: " in result.output
    assert "club (selfcommunity/caller): ok" in result.output
    assert result.exit_code == 1


def test_check_finds_a_platform_that_is_not_there(run: Run, config: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = run("check", "--config", config, GATEWAY_PLATFORMS__CLUB__BASE_URL=f"http://127.0.0.1:{port}")
    assert "club (selfcommunity/caller): platform-unreachable: no connection (" in result.output
    assert result.exit_code == 1


def test_check_finds_that_an_address_is_another_platforms(run: Run, config: str, pod: Served) -> None:
    result = run("check", "--config", config, GATEWAY_PLATFORMS__CLUB__BASE_URL=pod.url)
    assert "club (selfcommunity/caller): platform-invalid-answer: " in result.output
    assert "is base_url right?" in result.output


def test_check_does_not_quote_what_a_platform_sends(run: Run, config: str, community: Served) -> None:
    community.simulator.misbehave(Fault(status=403))
    assert "club (selfcommunity/caller): ok" in run("check", "--config", config).output
    community.simulator.misbehave(Fault(status=200, body=f"<html>{KEY}"))
    result = run("check", "--config", config)
    assert "platform-invalid-answer: status 200 has no meaning here" in result.output
    assert "html" not in result.output


def test_check_finds_a_wrong_configuration(run: Run, tmp_path: Path) -> None:
    result = run("check", "--config", str(tmp_path / "nowhere.toml"))
    assert re.fullmatch(
        r"connection-gateway: configuration: .*nowhere.toml: No such file or directory\n", result.stderr
    )
    assert result.exit_code == 2


def test_the_configuration_may_be_named_in_the_environment(run: Run, config: str) -> None:
    assert run("check", GATEWAY_CONFIG=config).exit_code == 0


def test_lookup_prints_the_connection(run: Run, config: str) -> None:
    result = run("lookup", "--config", config, "acme", "103")
    assert msgspec.json.decode(result.stdout)["status"] == "pending_outgoing"
    assert result.exit_code == 0


def test_lookup_takes_the_viewers_token_from_file_or_environment(run: Run, config: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("demo\n")
    by_file = run("lookup", "--config", config, "--token-file", str(tmp_path / "token"), "club", "102")
    by_environment = run("lookup", "--config", config, "club", "102", GATEWAY_TOKEN="demo")
    for result in (by_file, by_environment):
        assert msgspec.json.decode(result.stdout)["status"] == "pending_incoming"


@pytest.mark.parametrize(
    ("words", "environ", "code", "text"),
    [
        (("club", "404404"), {"GATEWAY_TOKEN": "demo"}, 1, "user-not-found: "),
        (("club", "101"), {"GATEWAY_TOKEN": "expired"}, 1, "credential-refused: "),
        (("club", "101"), {}, 2, "platform club wants the viewer's token: --token-file or GATEWAY_TOKEN"),
        (("club", "101"), {"GATEWAY_TOKEN": "a b"}, 2, "expected a token: "),
        (("club", "101", "--token-file", "/nowhere/token"), {}, 2, "--token-file: /nowhere/token: No such file"),
        (("acme", "abc"), {}, 2, "expected a user id: "),
        (("acme", "0"), {}, 2, "expected a user id: "),
        (("nowhere", "1"), {}, 2, "platform: expected one of acme, club"),
    ],
)
def test_lookup_says_what_is_wrong_in_one_line(
    run: Run, config: str, *, words: tuple[str, ...], environ: dict[str, str], code: int, text: str
) -> None:
    result = run("lookup", "--config", config, *words, **environ)
    assert result.stderr.startswith(f"connection-gateway: {text}")
    assert result.stderr.count("\n") == 1
    assert (result.stdout, result.exit_code) == ("", code)


def test_a_failure_keeps_to_one_line(run: Run, config: str, pod: Served) -> None:
    pod.simulator.misbehave(Fault(path="/info", status=500))
    result = run("lookup", "--config", config, "acme", "101")
    assert result.stderr == "connection-gateway: platform-error: the platform answered 500\n"
    pod.simulator.misbehave(Fault(path="/info", retry_after=7))
    result = run("lookup", "--config", config, "acme", "101")
    assert result.stderr == "connection-gateway: platform-throttled: the platform throttles (try again in 7 s)\n"


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


def test_the_demo_takes_another_port_if_its_own_is_taken(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("demo", "--check", "--port", str(port))
    assert result.exit_code == 0
    assert f":{port}/" not in result.stdout


def test_the_demo_says_so_if_it_does_not_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.demo.PATHS", ["/nowhere"])
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
def test_a_timeout_is_a_number_of_seconds(run: Run, timeout: str) -> None:
    assert run("wait", "--timeout", timeout).exit_code == 2


def test_an_unknown_simulator_is_refused(run: Run) -> None:
    result = run("simulate", "irc")
    assert result.stderr == "connection-gateway: adapter: expected one of symphony, selfcommunity\n"
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


async def test_readyz_is_what_wait_asks() -> None:
    async with running() as gateway, serving(gateway.app) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        answer = await asyncio.to_thread(_get, connection)
    assert answer == 200


def _get(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/readyz", headers={"Host": "localhost"})
    status = connection.getresponse().status
    connection.close()
    return status


async def test_a_platform_that_speaks_another_protocol_is_not_quoted() -> None:
    async with wire.scripted(wire.sending(b"HTTP/1.1 200 OK\r\nsessionToken canary-5b1c9e\r\n\r\n")) as server:
        table = {"adapter": "symphony", "base_url": server.url, "credentials": {"mode": "caller"}}
        settings = from_tables({"platforms": {"acme": table}})
        with pytest.raises(Unreachable) as caught:
            await commands.lookup(settings, "acme", 101, Token("demo"))
    assert "canary" not in commands.describe(caught.value)
