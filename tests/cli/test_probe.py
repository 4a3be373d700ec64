"""`wait` as a health check runs it: a process of its own that reads little, imports little and ends in time."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LONGEST = 30
"""Seconds after which a test that hangs has failed."""
BROKEN = """
    [server]
    port = {port}
    hash_key_file = "nowhere"
    [platforms.acme]
    credentials = {{ mode = "bot", private_key_file = "broken.pem" }}
"""


@contextmanager
def answering(answer: bytes, listener: socket.socket | None = None) -> Iterator[int]:
    """A server that sends this to whoever asks, and keeps the connection open. Yields its port."""
    taken: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            connection.sendall(answer)
            taken.append(connection)

    with listener or socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield 0 if listener else server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(LONGEST)
            for each in taken:
                each.close()


def wait(*words: str | Path, flags: tuple[str, ...] = (), **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *flags, "-m", "gateway", "wait", *map(str, words)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    return subprocess.run(  # noqa: S603  ours
        command, capture_output=True, text=True, timeout=LONGEST, env=clean | environ, check=False
    )


def test_the_probe_reads_where_to_ask_and_nothing_else(tmp_path: Path) -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\n") as port:
        (tmp_path / "gateway.toml").write_text(BROKEN.format(port=port))
        by_file = wait("--config", tmp_path / "gateway.toml", "--timeout", "5")
        by_environment = wait("--timeout=5", GATEWAY_SERVER__PORT=f"{port}\r")
        assert [by_file.returncode, by_environment.returncode] == [0, 0], by_file.stderr + by_environment.stderr


def test_the_probe_imports_neither_the_command_line_nor_the_configuration() -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\n") as port:
        done = wait("--address", f"127.0.0.1:{port}", flags=("-X", "importtime"))
    assert done.returncode == 0
    imported = set(re.findall(r"\| +(\S+)$", done.stderr, re.MULTILINE))
    assert "gateway.cli.probe" in imported
    assert not imported & {"click", "msgspec", "tomllib", "asyncio", "http.client", "gateway.config", "adapters"}


def test_a_unix_socket_is_named_by_its_path_or_found_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text('[server]\nsocket = "gateway.sock"\n')
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "gateway.sock"))
    listener.listen()
    with answering(b"HTTP/1.1 200 OK\r\n\r\n", listener):
        assert wait("--address", tmp_path / "gateway.sock").returncode == 0
        assert wait(GATEWAY_CONFIG=str(tmp_path / "gateway.toml")).returncode == 0


@pytest.mark.parametrize("answer", [b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"HTTP/1.1", b""])
def test_any_other_answer_and_half_of_one_is_no(answer: bytes) -> None:
    with answering(answer) as port:
        done = wait("--address", f"127.0.0.1:{port}", "--timeout", "0.3")
    assert (done.returncode, done.stderr) == (1, "connection-gateway: not ready within 0.3 s\n")


def test_a_configuration_that_hangs_keeps_it_no_longer_than_it_was_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = wait("--config", tmp_path / "pipe", "--timeout", "0.3")
    assert (done.returncode, done.stderr) == (1, "connection-gateway: not ready within 0.3 s\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--config", "nowhere.toml"), "configuration: nowhere.toml: No such file or directory"),
        (("--address", "gateway"), "--address: expected HOST:PORT, or the path of a Unix socket"),
        (("--address", "gateway:0"), "--address: expected HOST:PORT, or the path of a Unix socket"),
    ],
)
def test_what_can_not_be_asked_is_wrong_use(words: tuple[str, ...], said: str) -> None:
    done = wait(*words)
    assert (done.returncode, done.stderr) == (2, f"connection-gateway: {said}\n")
