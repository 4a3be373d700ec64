"""The synchronous face."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

import httpx

from connection_gateway import protocol, wire
from connection_gateway.attempts import Send, Sleep, attempts
from connection_gateway.errors import GatewayUnreachable, IncompleteList
from connection_gateway.identity import Identity
from connection_gateway.models import Action, Connection, Platform, Status
from connection_gateway.problems import Problem, problem
from connection_gateway.protocol import Answer, Pair, Request


class Gateway:
    """A gateway at `http://host:port` or `unix:/path/of/socket`. `timeout` is in seconds, for each call."""

    def __init__(self, url: str, *, api_key: str | None = None, timeout: float = 2.0) -> None:
        self._base, socket = wire.split(url)
        self._http = httpx.Client(transport=httpx.HTTPTransport(uds=socket), trust_env=False)
        self._timeout = timeout
        self._become(Identity(api_key))

    def _become(self, identity: Identity) -> None:
        self._identity = identity
        self._headers = identity.headers()

    def _view(self, identity: Identity) -> Self:
        view = object.__new__(type(self))
        view._base, view._http, view._timeout = self._base, self._http, self._timeout
        view._become(identity)
        return view

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def on_behalf_of(self, **viewers: int | str) -> Self:
        """A view that asks as these users, one for each platform. It shares the connections."""
        return self._view(self._identity.on_behalf_of(viewers))

    def with_tokens(self, **tokens: str) -> Self:
        """A view that asks with these users' own tokens, one for each platform. It shares the connections."""
        return self._view(self._identity.with_tokens(tokens))

    def lookup(self, platform: str, user_id: int | str, *, timeout: float | None = None) -> Connection:
        """The connection with this user."""
        return protocol.read(self._send(protocol.lookup(platform, user_id), timeout), Connection)

    def lookup_many(self, users: Iterable[Pair], *, timeout: float | None = None) -> list[Connection | Problem]:
        """A connection or a problem for each (platform, user id), in their order."""
        found: list[Connection | Problem] = []
        users = list(users)
        for request in protocol.lookup_many(users):
            expected = min(protocol.MOST_USERS, len(users) - len(found))
            found += protocol.results(self._send(request, timeout), expected)
        return found

    def connections(
        self,
        *,
        platform: str | Sequence[str] = (),
        status: Status | Sequence[Status] = (),
        on_problem: Callable[[Problem], None] | None = None,
        timeout: float | None = None,
    ) -> Iterator[Connection]:
        """All connections, over all pages; by default the pending ones. IncompleteList at the end if some lack."""
        platforms = (platform,) if isinstance(platform, str) else platform
        statuses = (status,) if isinstance(status, Status) else status
        problems: list[Problem] = []
        cursor: str | None = None
        while True:
            answer = self._send(protocol.page(platforms, statuses, cursor), timeout)
            page = protocol.read(answer, protocol.Page)
            yield from page.connections
            for details in page.errors:
                (on_problem or problems.append)(problem(details))
            cursor = page.next_cursor
            if cursor is None:
                break
        if problems:
            raise IncompleteList(problems)

    def act(self, connection: Connection | Pair, action: Action, *, timeout: float | None = None) -> Connection:
        """Act on a connection, or on a (platform, user id), and tell what it is then."""
        name, user = connection if isinstance(connection, tuple) else (connection.platform, connection.user_id)
        return protocol.read(self._send(protocol.act(name, user, action), timeout), Connection)

    def platforms(self, *, timeout: float | None = None) -> list[Platform]:
        """The platforms that this caller may use."""
        request = Request("GET", "/v1/platforms")
        return protocol.read(self._send(request, timeout), protocol.Platforms).platforms

    def wait_ready(self, timeout: float = 30.0) -> None:
        """Wait until the gateway is ready, or raise GatewayUnreachable after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            outcome = self._exchange(Send(Request("GET", "/readyz"), min(left, self._timeout)))
            if isinstance(outcome, Answer) and outcome.status == 200:
                return
            time.sleep(min(0.1, left))
        raise GatewayUnreachable(f"the gateway was not ready within {timeout} seconds", sent=False)

    def close(self) -> None:
        """Close the connections, of all views too."""
        self._http.close()

    def _send(self, request: Request, timeout: float | None) -> Answer:
        steps = attempts(request, self._timeout if timeout is None else timeout, time.monotonic)
        outcome: Answer | GatewayUnreachable | None = None
        try:
            while True:
                step = steps.send(outcome)
                if isinstance(step, Sleep):
                    time.sleep(step.seconds)
                    outcome = None
                else:
                    outcome = self._exchange(step)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # what the generator returned

    def _exchange(self, send: Send) -> Answer | GatewayUnreachable:
        try:
            return wire.answer(self._http.request(**wire.arguments(self._base, send, self._headers)))
        except httpx.HTTPError as error:
            return wire.failure(error)
