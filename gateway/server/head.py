"""Reads the heads of HTTP/1.1 requests, one after the other, and nothing that stands behind them.

httptools reads what is in a head; where it ends is found here, so that not one byte behind it is ever given to that
parser. Whether a body follows, and where that ends, is read from the headers (RFC 9112, 6.3) and left to
`gateway.framing`. An offer to upgrade the connection changes nothing: it is a request like any other.
"""

from __future__ import annotations

from typing import Final

import httptools

MAX_HEADERS: Final = 100
NO_REQUEST: Final = "what came is no HTTP/1.1 request"
CHUNKED: Final = -1
"""The `body_length` of a body that comes in chunks."""
_END: Final = b"\r\n\r\n"
_ABOUT_THE_BODY: Final = frozenset({b"content-length", b"transfer-encoding", b"expect"})
_NEW_LINES: Final = frozenset(b"\r\n")
_MAX_DIGITS: Final = 18


class MalformedRequest(Exception):
    """What came breaks the rules of HTTP/1.1 or our bounds; its text says how."""


class HeadReader:
    """Give it what was read from a connection (`feed`). Its attributes describe the head that was read last."""

    method: str
    target: bytes
    """as it stands in the first line: a path and a query, or a whole URL"""
    http_version: str
    headers: list[tuple[bytes, bytes]]
    """names in lower case, values without white space around them (RFC 9110, 5.5)"""
    keep_alive: bool
    expects_continue: bool
    body_length: int
    """in bytes; 0: no body; or CHUNKED"""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._parser: httptools.HttpRequestParser | None = None
        self._blank = 0
        """bytes of blank lines before it"""
        self._size = 0
        """bytes of the head that is being read"""
        self._tail = b""
        """its last three bytes: its end may be cut anywhere"""
        self._complete = False
        self._objection = ""

    def feed(self, data: bytes, start: int) -> int:
        """Read on from `start`. Returns where the head ends in `data`, or -1 where it goes on.

        Raises MalformedRequest, after which this reader is of no further use. How the bytes were cut into pieces
        makes no difference to what is read or raised.
        """
        if not self._size:
            if data[start] in _NEW_LINES:
                start = self._skip_blank_lines(data, start)
                if start == len(data):
                    return -1
            self._complete = False
        end = self._find_end(data, start)
        stop = len(data) if end < 0 else end
        room = self._max_bytes - self._size
        piece = data[start : min(stop, start + room)]
        self._size += len(piece)
        self._parse(piece)
        if stop - start > room:
            raise MalformedRequest(f"the head is larger than {self._max_bytes} bytes")
        if self._complete is not (end >= 0):
            raise MalformedRequest(NO_REQUEST)
        if self._complete:
            self._size = self._blank = 0
            self._tail = b""
        else:
            self._tail = (self._tail + piece)[-3:]
        return end

    def close(self) -> None:
        """The parser refers back to this reader."""
        self._parser = None

    def _skip_blank_lines(self, data: bytes, start: int) -> int:
        """They may stand before a request (RFC 9112, 2.2), and are bounded as a head is."""
        room = self._max_bytes - self._blank
        begin = len(data) - len(data[start:].lstrip(b"\r\n"))
        if begin - start > room:
            raise MalformedRequest(f"blank lines of more than {self._max_bytes} bytes")
        self._blank += begin - start
        return begin

    def _find_end(self, data: bytes, start: int) -> int:
        if self._tail:
            at = (self._tail + data[start : start + 3]).find(_END)
            if at >= 0:
                return start + at + len(_END) - len(self._tail)
        at = data.find(_END, start)
        return at + len(_END) if at >= 0 else -1

    def _parse(self, piece: bytes) -> None:
        parser = self._parser = self._parser or httptools.HttpRequestParser(self)
        try:
            parser.feed_data(piece)
        except httptools.HttpParserUpgrade as offer:  # or CONNECT
            if offer.args[0] != len(piece):
                raise MalformedRequest(NO_REQUEST) from None
        except httptools.HttpParserError:
            raise MalformedRequest(self._objection or NO_REQUEST) from None
        if self._complete and (self.body_length or parser.should_upgrade()):
            self._parser = None  # it waits for what it is never given

    # called by the parser; what is raised here ends its work with an HttpParserError

    def on_message_begin(self) -> None:
        self._complete = False
        self.target = b""
        self.headers = []
        self._about_the_body: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name, value = name.lower(), value.strip(b" \t")
        if name in _ABOUT_THE_BODY:
            self._about_the_body.append((name, value.lower()))
        self.headers.append((name, value))
        if len(self.headers) > MAX_HEADERS:
            self._object(f"more than {MAX_HEADERS} headers")

    def on_headers_complete(self) -> None:
        parser = self._parser
        assert parser is not None  # noqa: S101  it calls this
        self.http_version = version = parser.get_http_version()
        if version not in {"1.1", "1.0"}:
            self._object("this gateway speaks HTTP/1.1, and HTTP/1.0")
        self.method = parser.get_method().decode("ascii")
        if self.method == "CONNECT":
            self._object("CONNECT: this gateway is no proxy")
        self.keep_alive = version == "1.1" and parser.should_keep_alive()
        self.body_length = self._framing() if self._about_the_body else 0
        self.expects_continue = version == "1.1" and (b"expect", b"100-continue") in self._about_the_body
        self._complete = True

    def on_body(self, _body: bytes) -> None:
        """There is none in what the parser is given."""
        self._object(NO_REQUEST)

    def _framing(self) -> int:
        lengths = [value for name, value in self._about_the_body if name == b"content-length"]
        codings = [value for name, value in self._about_the_body if name == b"transfer-encoding"]
        if codings:
            if lengths or self.http_version == "1.0" or codings != [b"chunked"]:
                self._object("Transfer-Encoding: expected chunked, in HTTP/1.1, without Content-Length")
            return CHUNKED
        if not lengths:
            return 0
        if len(lengths) > 1 or not lengths[0].isdigit() or len(lengths[0]) > _MAX_DIGITS:
            self._object("Content-Length: expected once, a number of bytes")
        return int(lengths[0])

    def _object(self, why: str) -> None:
        self._objection = why
        raise MalformedRequest(why)
