"""Socket activation: takes the listening socket that systemd opened, as sd_listen_fds(3) describes it.

The socket stays open in systemd while the service restarts, so that connections wait for the next process.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Final, cast

from msgspec import structs

if TYPE_CHECKING:  # the parent of workers needs nothing of the configuration
    from gateway.config.settings import ServerSettings, Settings, SocketPath

FIRST: Final = 3
"""The number of the first descriptor that is passed."""
VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def inherited_listener(environ: MutableMapping[str, str]) -> socket.socket | None:
    """The socket that was passed to this process, or None. Raises OSError if it is not one listening stream socket.

    Removes the variables: the socket is not meant for other processes.
    """
    pid, count, _ = (environ.pop(name, None) for name in VARIABLES)
    if pid != str(os.getpid()) or count is None:
        return None
    if count != "1":
        raise OSError(errno.EINVAL, f"one socket is expected from the service manager, not {count}")
    listener = socket.socket(fileno=FIRST)
    if listener.type != socket.SOCK_STREAM or not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise OSError(errno.EINVAL, "the service manager's socket does not listen")
    listener.set_inheritable(False)
    return listener


def as_inherited(settings: Settings, listener: socket.socket) -> Settings:
    """The settings with the address of this socket in place of the configured one.

    Whether a gateway without callers may be open depends on it. Raises ConfigurationError if it may not.
    """
    return structs.replace(settings, server=_listening_at(settings.server, listener))


def _listening_at(server: ServerSettings, listener: socket.socket) -> ServerSettings:
    if listener.family == socket.AF_UNIX:
        return structs.replace(server, socket=cast("SocketPath", listener.getsockname()))
    host, port, *_ = listener.getsockname()
    return structs.replace(server, socket=None, host=host, port=port)
