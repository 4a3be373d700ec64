"""Maps aiohttp's exceptions to httpx's, by whether the request had been sent: retries rest on this table."""

from __future__ import annotations

import errno
import socket
from typing import Final, NamedTuple

import aiohttp
import httpx
from aiohttp.http_exceptions import HttpProcessingError

from adapters.extensions import LocalShortage, NameNotResolved, ProxyUnauthorized

Kind = type[httpx.TransportError]


SHORTAGES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""What the system says where a process or the machine has no more descriptors, memory or ports."""


class Row(NamedTuple):
    """The same failure before the request had a connection of its own, and after. In doubt it is after."""

    before: Kind
    after: Kind


FAILURES: Final[dict[type[Exception], Row]] = {
    aiohttp.ClientProxyConnectionError: Row(httpx.ProxyError, httpx.ReadError),
    aiohttp.ClientHttpProxyError: Row(httpx.ProxyError, httpx.RemoteProtocolError),
    aiohttp.ClientConnectorDNSError: Row(NameNotResolved, httpx.ReadError),
    aiohttp.ClientConnectorError: Row(httpx.ConnectError, httpx.ReadError),
    aiohttp.ServerTimeoutError: Row(httpx.ConnectTimeout, httpx.ReadTimeout),
    aiohttp.ServerFingerprintMismatch: Row(httpx.ConnectError, httpx.ReadError),
    aiohttp.ServerConnectionError: Row(httpx.ConnectError, httpx.RemoteProtocolError),
    aiohttp.ClientConnectionResetError: Row(httpx.ConnectError, httpx.WriteError),
    aiohttp.UploadAbortedError: Row(httpx.ConnectError, httpx.WriteError),
    aiohttp.ClientConnectionError: Row(httpx.ConnectError, httpx.ReadError),
    aiohttp.ClientPayloadError: Row(httpx.ConnectError, httpx.ReadError),
    aiohttp.ClientResponseError: Row(httpx.ConnectError, httpx.RemoteProtocolError),
    aiohttp.InvalidURL: Row(httpx.UnsupportedProtocol, httpx.RemoteProtocolError),
    aiohttp.NonHttpUrlClientError: Row(httpx.UnsupportedProtocol, httpx.RemoteProtocolError),
    aiohttp.ClientError: Row(httpx.ConnectError, httpx.RemoteProtocolError),
    aiohttp.WebSocketError: Row(httpx.ConnectError, httpx.RemoteProtocolError),
    aiohttp.WSMessageTypeError: Row(httpx.ConnectError, httpx.RemoteProtocolError),
    aiohttp.EofStream: Row(httpx.ConnectError, httpx.RemoteProtocolError),
    HttpProcessingError: Row(httpx.ConnectError, httpx.RemoteProtocolError),
    OSError: Row(httpx.ConnectError, httpx.ReadError),
}
"""The first row that a failure is an instance of counts."""


def translated(failure: Exception, *, sent: bool, request: httpx.Request) -> httpx.TransportError:
    """What `failure`, an instance of one of the rows, is called above."""
    if not sent and _is_shortage(failure):
        return LocalShortage(str(failure) or type(failure).__name__, request=request)
    if isinstance(failure, aiohttp.ClientHttpProxyError) and failure.status == 407:
        return ProxyUnauthorized(str(failure), request=request)
    row = next(row for kind, row in FAILURES.items() if isinstance(failure, kind))
    return (row.after if sent else row.before)(str(failure) or type(failure).__name__, request=request)


def _is_shortage(failure: Exception) -> bool:
    """Whether it is this machine that has too little of something."""
    cause = failure.os_error if isinstance(failure, aiohttp.ClientConnectorError) else failure
    if isinstance(cause, socket.gaierror):  # which has numbers of its own
        return cause.errno in {socket.EAI_SYSTEM, socket.EAI_MEMORY}
    return isinstance(cause, OSError) and cause.errno in SHORTAGES
