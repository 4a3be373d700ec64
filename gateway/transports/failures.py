"""What aiohttp raises, as the httpx error that says whether the request had left: retrying rests on this table."""

from __future__ import annotations

from typing import Final, NamedTuple

import aiohttp
import httpx
from aiohttp.http_exceptions import HttpProcessingError

Kind = type[httpx.TransportError]


class Row(NamedTuple):
    """The same failure before the request had a connection of its own, and after. In doubt it is after."""

    before: Kind
    after: Kind


FAILURES: Final[dict[type[Exception], Row]] = {
    aiohttp.ClientProxyConnectionError: Row(httpx.ProxyError, httpx.ReadError),
    aiohttp.ClientHttpProxyError: Row(httpx.ProxyError, httpx.RemoteProtocolError),
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
    row = next(row for kind, row in FAILURES.items() if isinstance(failure, kind))
    return (row.after if sent else row.before)(str(failure) or type(failure).__name__, request=request)
