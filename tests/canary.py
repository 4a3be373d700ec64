"""A watch over the whole suite: every secret and every user that it meets, and everything that the gateway writes.

Marked is whatever becomes a `Secret`, every token that a simulator gives out, every credential in a request's headers,
and every user id of nine digits or more. Read is every line of every log, every answer with its headers, the text and
`repr` of every error of ours, what real processes wrote, and the `repr` of whatever of ours is alive. At the end of
the run no mark may be among what was read; a user may only be in the fields of an answer that are made for users.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

import msgspec
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from adapters.contract import PlatformError
from adapters.secret import Secret
from adapters.sessions import LoginRefused
from adapters.simulation.tokens import Tokens
from adapters.user_ids import MAX_USER_ID
from gateway.api.middleware.access_log import AccessLog
from gateway.config.settings import ConfigurationError
from gateway.problems.problem import Problem
from gateway.server.extensions import READY
from gateway.telemetry.log import Log

SHORTEST: Final = 8
"""Characters. A shorter secret (`demo`) is a word that may stand anywhere."""
_WORD: Final = re.compile(r"[A-Za-z0-9_-]{8,}")
_USER: Final = re.compile(r"(?<![0-9A-Za-z_.-])[1-9][0-9]{8,18}(?![0-9A-Za-z_-])")
_BARE: Final = re.compile(r'"(?!status|duration_ms|request_id|overloaded)([a-z_]+)":"?[0-9]{1,15}"?[,}]')
CREDENTIALS: Final = ("x-api-key", "sessiontoken", "authorization", "x-platform-token")
FOR_USERS: Final = "user_id"
NO_VIEWERS: Final = str(MAX_USER_ID)
"""What is said wherever it is said which ids there can be."""


class Watch:
    """`read` takes what was written, and where; `leaks` are the marks that are among it."""

    on_duty: ClassVar[Watch | None] = None

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.users: set[str] = set()
        self.read_so_far = 0
        self.bare: list[str] = []
        """fields of the log in which a number stood that could be a user's, however short"""
        self._words: dict[str, str] = {}

    def mark(self, secret: str) -> None:
        """Any long part of it: of a token with dots, or of a key with lines, a part would be too much already."""
        self.secrets.update(_WORD.findall(secret))

    def mark_users(self, text: str) -> None:
        self.users.update(each for each in _USER.findall(text) if each != NO_VIEWERS)

    def read(self, text: str, where: str) -> None:
        self.read_so_far += 1
        for word in _WORD.findall(text):
            self._words.setdefault(word, where)

    def read_answer(self, headers: str, body: bytes, where: str) -> None:
        """Its secrets everywhere, its users beside the fields that are made for them."""
        self.read(headers, where)
        try:
            text = msgspec.json.encode(_without_users(msgspec.json.decode(body))).decode()
        except msgspec.DecodeError:
            text = body.decode(errors="replace")
        self.read(text, where)

    def read_reprs(self) -> None:
        """Of whatever of ours is alive, simulators aside: they show what platforms know."""
        for each in gc.get_objects():
            module = type(each).__module__
            ours = isinstance(module, str) and module.startswith(("adapters.", "gateway."))
            if ours and "simulat" not in module:
                self.read(repr(each), f"the repr of a {type(each).__qualname__}")

    def leaks(self) -> Iterator[str]:
        """The mark is not told, nor is it in a report: where it was found is."""
        for kind, marks in (("secret", self.secrets), ("user", self.users)):
            for word in marks & self._words.keys():
                yield f"a {kind} ({word[:3]}…, {len(word)} characters) in {self._words[word]}"
        yield from (f"a bare number in the log: {place}" for place in set(self.bare))

    @contextlib.contextmanager
    def watching(self) -> Iterator[Watch]:
        """Be the only watch meanwhile."""
        before = Watch.on_duty
        Watch.on_duty = self
        try:
            yield self
        finally:
            Watch.on_duty = before

    @staticmethod
    def install() -> None:
        """Watch every class through which something can be said, for as long as the process runs."""
        _after(Secret, "__init__", lambda _made, text: on_duty().mark(text))
        _after(Tokens, "accept", lambda _tokens, token, _user: on_duty().mark(token))
        for error in (PlatformError, Problem, ConfigurationError, LoginRefused):
            _after(error, "__init__", _read_error)
        _after(Log, "__init__", _watch_log)
        original = AccessLog.__call__

        async def watched(layer: AccessLog, scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await original(layer, scope, receive, send)
                return
            app = functools.partial(original, layer, scope)
            await on_duty().request(app, scope, receive, send)

        AccessLog.__call__ = watched  # type: ignore[method-assign,assignment]  # as long as the process runs

    def read_line(self, line: str) -> None:
        self.read(line, f"the log, event {_event(line)}")
        self.bare += [f"{_event(line)}.{field}" for field in _BARE.findall(line)]

    async def request(self, app: Callable[[Receive, Send], Any], scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        for name in CREDENTIALS:
            for value in headers.getlist(name):
                self.mark(re.sub(r"(?:^|,)\s*[a-z0-9-]+=", " ", value))
        self.mark_users(f"{scope['path']} {scope['query_string'].decode()} {headers.get('x-on-behalf-of', '')}")
        body, said = bytearray(), ""

        async def noting_receive() -> Message:
            message = await receive()
            self.mark_users(message.get("body", b"").decode(errors="replace"))
            return message

        async def noting_send(message: Message) -> None:
            nonlocal said
            if message["type"] in {"http.response.start", READY}:
                values = [message.get("fixed", b""), *(value for _, value in message["headers"])]
                said = b" ".join(values).decode("latin-1")
            body.extend(message.get("body", b""))
            await send(message)

        try:
            await app(noting_receive, noting_send)
        finally:
            self.read_answer(said, bytes(body), f"an answer to {scope['method']}")


def on_duty() -> Watch:
    """The watch that is told of everything."""
    assert Watch.on_duty is not None
    return Watch.on_duty


def _read_error(error: Exception, *_: Any, **__: Any) -> None:
    on_duty().read(f"{error} {error!r}", f"a {type(error).__name__}")


def _watch_log(log: Any, *_: Any, **__: Any) -> None:
    buffer = log._buffer  # noqa: SLF001  there is no other way to what it writes
    write = buffer._write  # noqa: SLF001  as above

    def written(lines: bytes) -> object:
        for line in lines.decode().splitlines():
            on_duty().read_line(line)
        return write(lines)

    buffer._write = written  # noqa: SLF001  as above


def _event(line: str) -> str:
    found = re.search(r'"event":"([a-z-]+)"', line)
    return found[1] if found else "?"


def _without_users(document: Any) -> Any:
    if isinstance(document, dict):
        return {name: _without_users(value) for name, value in document.items() if name != FOR_USERS}
    if isinstance(document, list):
        return [_without_users(each) for each in document]
    return document


def _after(cls: Any, name: str, note: Callable[..., None]) -> None:
    original = getattr(cls, name)

    def noting(self: Any, *words: Any, **named: Any) -> None:
        original(self, *words, **named)
        note(self, *words, **named)

    setattr(cls, name, noting)
