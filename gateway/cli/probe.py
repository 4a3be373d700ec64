"""Asks a gateway for `/readyz`: what `wait` does, and a container's health check.

A probe runs every few seconds beside the gateway, often with little CPU. So it reads only where to ask, and imports
no more than that takes: neither the configuration's types nor the command line's library.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from types import FrameType
from typing import Any, Final

PAUSE: Final = 0.1
"""Seconds between two tries."""
DEFAULT_TIMEOUT: Final = 30.0
LONGEST_TIMEOUT: Final = 3600.0
ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  asked, not listened on
"""Where to ask a gateway that listens everywhere."""
REQUEST: Final = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
READY: Final = b"HTTP/1.1 200 "
VARIABLES: Final = "gateway_server__"
"""How the variables begin that override the file, in lower case."""

Address = str | tuple[str, int]
"""The path of a Unix socket, or host and port."""


class UnknownAddress(Exception):
    """Where to ask can't be told. The text is one line for the operator."""


def address_of(text: str) -> Address:
    """The address that an operator writes: `/path/to/socket`, `host:port` or `[host]:port`. Raises UnknownAddress."""
    host, _, port = text.rpartition(":")
    if text.startswith("/"):
        return text
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise UnknownAddress("--address: expected HOST:PORT, or the path of a Unix socket")
    return host.removeprefix("[").removesuffix("]"), int(port)


def configured_address(file: str | None, environ: Mapping[str, str]) -> Address:
    """Where the gateway of this configuration listens. Raises UnknownAddress. Nothing else is read or checked."""
    if file is not None and file == environ.get("GATEWAY_CONFIG") and not os.path.lexists(file):
        file = None  # the environment alone may configure
    server = {} if file is None else _server_table(file)
    for name, text in environ.items():
        if name.startswith("GATEWAY_") and name.lower().startswith(VARIABLES):
            server[name.lower().removeprefix(VARIABLES)] = text.removesuffix("\r")
    path = server.get("socket")
    if path is not None:
        return os.path.join(os.path.dirname(file or ""), str(path))  # noqa: PTH118, PTH120  pathlib takes 10 ms
    port = str(server.get("port", 8080)).strip()
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise UnknownAddress("configuration: server.port: expected a number from 1 to 65535")
    host = str(server.get("host", "127.0.0.1"))
    return ANY.get(host, host), int(port)


def wait_until_ready(address: Address, timeout: float) -> bool:
    """Whether `/readyz` answered 200 within `timeout` seconds. Asks at least once."""
    end = time.monotonic() + timeout
    while not _is_ready(address, max(end, time.monotonic() + PAUSE)):
        if time.monotonic() + PAUSE > end:
            return False
        time.sleep(PAUSE)
    return True


def run(config: str | None, address: str | None, timeout: float) -> int:
    """Probe, say on standard error why not, and return the process's exit code.

    Reading the configuration counts towards the time: what it names may hang.
    """
    late = f"not ready within {timeout:g} s"
    with _Alarm(max(timeout, PAUSE) + PAUSE, late):
        try:
            where = configured_address(config, os.environ) if address is None else address_of(address)
        except UnknownAddress as unknown:
            _say(str(unknown))
            return 2
        if wait_until_ready(where, timeout):
            return 0
    _say(late)
    return 1


def run_arguments(words: list[str]) -> int | None:
    """`run` with the arguments of `wait`. None: these are not the usual ones, and the command line explains them."""
    values: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        found = value if equals else next(rest, None)
        if name not in {"--config", "--address", "--timeout"} or found is None:
            return None
        values[name] = found
    try:
        timeout = float(values.get("--timeout", DEFAULT_TIMEOUT))
    except ValueError:
        return None
    if not 0 <= timeout <= LONGEST_TIMEOUT:
        return None
    config = values.get("--config", os.environ.get("GATEWAY_CONFIG", "").removesuffix("\r"))
    return run(config or None, values.get("--address"), timeout)


class _Alarm:
    """Ends the process with 1 when the time is up, whatever it is waiting for."""

    def __init__(self, seconds: float, text: str) -> None:
        self._seconds = seconds
        self._text = text

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_error: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        _say(self._text)
        os._exit(1)


def _server_table(file: str) -> dict[str, Any]:
    import tomllib  # takes 15 ms, and an address that is given needs none

    try:
        with open(file, "rb") as opened:  # noqa: PTH123  pathlib takes 10 ms
            text = opened.read().decode("utf-8-sig")
        table = tomllib.loads(text).get("server", {})
    except OSError as error:
        raise UnknownAddress(f"configuration: {file}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise UnknownAddress(f"configuration: {file}: expected TOML in UTF-8") from None
    if not isinstance(table, dict):
        raise UnknownAddress("configuration: server: expected a table")
    return table


def _is_ready(address: Address, until: float) -> bool:
    """Whether one request is answered with 200. Takes no longer than `until` (`time.monotonic()`)."""
    try:
        with _connect(address, until) as connection:
            connection.sendall(REQUEST)
            head = b""
            while len(head) < len(READY):
                connection.settimeout(_left(until))
                part = connection.recv(len(READY) - len(head))
                if not part:
                    return False
                head += part
            return head == READY
    except (OSError, ValueError):  # a host that can't be a name is a ValueError
        return False


def _connect(address: Address, until: float) -> socket.socket:
    if not isinstance(address, str):
        return socket.create_connection(address, timeout=_left(until))
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_left(until))
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _left(until: float) -> float:
    """Seconds. Raises TimeoutError where there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _say(text: str) -> None:
    line = "".join(each if each.isprintable() else "?" for each in text)
    sys.stderr.write(f"connection-gateway: {line}\n")
    sys.stderr.flush()
