"""Asking a gateway whether it is ready, from outside its process: what a container's health check does."""

from __future__ import annotations

import http.client
import time
from typing import Final

PAUSE: Final = 0.1
"""Seconds between two tries."""
ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  asked, not listened on
"""Where to ask a gateway that listens everywhere."""


def wait_until_ready(host: str, port: int, timeout: float) -> bool:
    """Whether `/readyz` answered 200 within `timeout` seconds. Asks at least once."""
    end = time.monotonic() + timeout
    while not _is_ready(ANY.get(host, host), port, max(end - time.monotonic(), PAUSE)):
        if time.monotonic() + PAUSE > end:
            return False
        time.sleep(PAUSE)
    return True


def _is_ready(host: str, port: int, timeout: float) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", "/readyz", headers={"Host": "localhost"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
