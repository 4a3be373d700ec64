"""`check` and `lookup`: the operator asks."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import msgspec
import pytest

from adapters.contract import Unreachable
from adapters.secret import Token
from adapters.simulation.faults import Fault
from gateway.cli import operator
from gateway.cli.viewer import ViewerOptions
from gateway.config.converter import from_tables
from tests import wire
from tests.cli.served import Run, Served
from tests.gateways import KEY


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
        (("club", "101"), {}, 2, "platform club: expected the viewer's token, by --token-file or GATEWAY_TOKEN"),
        (("club", "101"), {"GATEWAY_TOKEN": "a b"}, 2, "GATEWAY_TOKEN: expected a token: "),
        (("club", "101", "--token-file", "/nowhere/token"), {}, 2, "--token-file: No such file or directory in /"),
        (("club", "101"), {"GATEWAY_TOKEN": ""}, 2, "platform club: expected the viewer's token"),
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


@pytest.mark.parametrize("content", [b"", b"\n", b"canary\xff\xfe", b"can ary"])
def test_a_token_file_that_holds_none_is_named_and_not_quoted(
    run: Run, config: str, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "token").write_bytes(content)
    result = run("lookup", "--config", config, "--token-file", str(tmp_path / "token"), "club", "101")
    assert result.stderr.startswith(f"connection-gateway: --token-file: {tmp_path / 'token'}: expected ")
    assert result.stderr.count("\n") == 1
    assert "canary" not in result.stderr
    assert result.exit_code == 2


def test_a_token_that_nobody_needs_may_be_empty(run: Run, config: str) -> None:
    assert run("lookup", "--config", config, "acme", "101", GATEWAY_TOKEN="").exit_code == 0


def test_a_failure_keeps_to_one_line(run: Run, config: str, pod: Served) -> None:
    pod.simulator.misbehave(Fault(path="/info", status=500))
    result = run("lookup", "--config", config, "acme", "101")
    assert result.stderr == "connection-gateway: platform-error: the platform answered 500\n"
    pod.simulator.misbehave(Fault(path="/info", retry_after=7))
    result = run("lookup", "--config", config, "acme", "101")
    assert result.stderr == "connection-gateway: platform-throttled: the platform throttles (try again in 7 s)\n"


async def test_a_platform_that_speaks_another_protocol_is_not_quoted() -> None:
    async with wire.scripted(wire.sending(b"HTTP/1.1 200 OK\r\nsessionToken canary-5b1c9e\r\n\r\n")) as server:
        table = {"adapter": "symphony", "base_url": server.url, "credentials": {"mode": "caller"}}
        settings = from_tables({"platforms": {"acme": table}})
        with pytest.raises(Unreachable) as caught:
            await operator.lookup(settings, "acme", 101, ViewerOptions(Token("demo")))
    assert "canary" not in operator.describe(caught.value)
