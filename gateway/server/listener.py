"""Opens the listening socket: a TCP port, or a Unix socket with permissions."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # the parent of workers needs nothing of the configuration
    from gateway.config.settings import ServerSettings

BACKLOG: Final = 2048
"""Connections that the kernel keeps until they are accepted."""


def listen(settings: ServerSettings) -> socket.socket:
    """The listening socket that the settings ask for. Raises OSError with the system's own words."""
    if settings.socket is not None:
        return listen_at(settings.socket, settings.socket_mode)
    return listen_on(settings.host, settings.port)


def listen_for_admin(settings: ServerSettings, *, is_shared: bool = False) -> socket.socket | None:
    """The listening socket for probes and metrics, if the settings ask for one. Raises OSError likewise.

    `is_shared`: other workers listen on the same port, and the kernel chooses one for each connection.
    """
    admin = settings.admin
    return None if admin is None else listen_on(admin.host, admin.port, is_shared=is_shared)


def where(settings: ServerSettings) -> str:
    """Where that is, as people write it."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.socket or f"{host}:{settings.port}"


def listen_at(path: str, mode: int) -> socket.socket:
    """A Unix socket with these permissions from its first moment. One that nobody listens on any more is replaced."""
    with socket.socket(socket.AF_UNIX) as before, contextlib.suppress(FileNotFoundError):
        try:
            before.connect(path)
        except ConnectionRefusedError:
            if Path(path).is_socket():  # the same is said of any other file, which stays, and is in the way
                Path(path).unlink()
        else:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    listener = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o777)
    try:
        listener.bind(path)
        Path(path).chmod(mode)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener


def address_of(listener: socket.socket) -> str:
    """As people write it."""
    if listener.family == socket.AF_UNIX:
        return str(listener.getsockname())
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def remove_file(listener: socket.socket) -> None:
    """Remove the file of a Unix socket. While it listens, no other process takes its path, so the file is its own."""
    if listener.family == socket.AF_UNIX:
        Path(listener.getsockname()).unlink(missing_ok=True)


def listen_on(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError with the system's own words.

    `::` listens on every IPv4 address as well, where the system has sockets for both. A name that has addresses of
    both kinds stands for the IPv4 one.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, *_, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    both = address[0] == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server(
            address, family=family, backlog=BACKLOG, dualstack_ipv6=both, reuse_port=is_shared
        )
    except OSError as error:  # whose text repeats the address
        raise OSError(error.errno, os.strerror(error.errno or 0)) from error
