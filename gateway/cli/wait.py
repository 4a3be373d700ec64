"""Waits until a gateway answers `/readyz`: a container's health check."""

from __future__ import annotations

import http.client
import socket
import time
from typing import Final

from gateway.config.settings import ServerSettings

PAUSE: Final = 0.1
"""Seconds between two tries."""
ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  asked, not listened on
"""Where to ask a gateway that listens everywhere."""


class _Local(http.client.HTTPConnection):
    """Over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def wait_until_ready(settings: ServerSettings, timeout: float) -> bool:
    """Whether `/readyz` answered 200 within `timeout` seconds. Asks at least once."""
    end = time.monotonic() + timeout
    while not _is_ready(settings, max(end - time.monotonic(), PAUSE)):
        if time.monotonic() + PAUSE > end:
            return False
        time.sleep(PAUSE)
    return True


def _is_ready(settings: ServerSettings, timeout: float) -> bool:
    if settings.socket is not None:
        connection: http.client.HTTPConnection = _Local(settings.socket, timeout)
    else:
        host = ANY.get(settings.host, settings.host)
        connection = http.client.HTTPConnection(host, settings.port, timeout=timeout)
    try:
        connection.request("GET", "/readyz", headers={"Host": "localhost"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
