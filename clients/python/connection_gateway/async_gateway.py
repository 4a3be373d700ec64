"""The asynchronous face."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from types import TracebackType
from typing import Self, TypeVar

import httpx

from connection_gateway import protocol, wire
from connection_gateway.attempts import Outcome, Send, Sleep
from connection_gateway.batches import Batches
from connection_gateway.calls import Call, Calls
from connection_gateway.errors import GatewayUnreachable, IncompleteList
from connection_gateway.identity import Identity
from connection_gateway.models import Action, Connection, Platform, Status
from connection_gateway.problems import Problem, problem
from connection_gateway.protocol import Answer, Pair, Request, Target
from connection_gateway.retry_after import RetryAfter
from connection_gateway.watching import watch

T = TypeVar("T")


class AsyncGateway:
    """A gateway at `http://host:port` or `unix:/path/of/socket`. `timeout` is in seconds, for each request."""

    def __init__(self, url: str, *, api_key: str | None = None, timeout: float = 2.0) -> None:
        self._base, self._socket = wire.split(url)
        self._http = httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=self._socket), trust_env=False)
        self._timeout = timeout
        self._retry_after = RetryAfter(time.monotonic)
        self._become(Identity(api_key))

    def _become(self, identity: Identity) -> None:
        self._identity = identity
        self._headers = identity.headers()
        self._calls = Calls(identity, self._retry_after)
        self._batches = Batches(self._look_up, self._look_up_many, self._calls.split)

    def _view(self, identity: Identity) -> Self:
        view = object.__new__(type(self))
        view._base, view._socket, view._timeout = self._base, self._socket, self._timeout
        view._http, view._retry_after = self._http, self._retry_after
        view._become(identity)
        return view

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def on_behalf_of(self, **viewers: int | str) -> Self:
        """A view that asks as these users, one for each platform, instead of those of this view."""
        return self._view(self._identity.on_behalf_of(viewers))

    def with_tokens(self, **tokens: str) -> Self:
        """A view that asks with these users' own tokens, one for each platform, instead of those of this view."""
        return self._view(self._identity.with_tokens(tokens))

    async def lookup(self, platform: str, user_id: int | str, *, timeout: float | None = None) -> Connection:
        """The connection with this user, or raise the Problem."""
        request = protocol.lookup(platform, user_id)
        if timeout is not None:
            return await self._run(self._calls.one(request, Connection, timeout))
        return await self._batches.lookup(platform, str(user_id), request)

    async def lookup_many(self, users: Iterable[Pair], *, timeout: float | None = None) -> list[Connection | Problem]:
        """A connection or a problem for each (platform, user id), in their order."""
        return await self._run(self._calls.lookup_many(protocol.checked(users), self._within(timeout)))

    async def connections(
        self,
        *,
        platform: str | Sequence[str] = (),
        status: Status | Sequence[Status] = (),
        on_problem: Callable[[Problem], None] | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[Connection]:
        """All connections, over all pages; by default the pending ones.

        If a platform failed, its problem goes to `on_problem`, or IncompleteList is raised at the end.
        """
        platforms = (platform,) if isinstance(platform, str) else platform
        statuses = (status,) if isinstance(status, str) else status
        problems: list[Problem] = []
        cursor: str | None = None
        while True:
            page = await self._run(self._calls.page(platforms, statuses, cursor, self._within(timeout)))
            for each in page.connections:
                yield each
            for details in page.errors:
                (on_problem or problems.append)(problem(details))
            cursor = page.next_cursor
            if cursor is None:
                break
        if problems:
            raise IncompleteList(problems)

    async def act(self, connection: Connection | Pair, action: Action, *, timeout: float | None = None) -> Connection:
        """Act on a connection, or on a (platform, user id), and return what it is then."""
        name, user = connection if isinstance(connection, tuple) else (connection.platform, connection.user_id)
        request = protocol.act(name, user, action)
        return await self._run(self._calls.one(request, Connection, self._within(timeout)))

    def watch(self, users: Iterable[Pair]) -> AsyncGenerator[Connection | Problem]:
        """The state of each (platform, user id), at most 1,000, and then each change, for as long as it is iterated.

        A lost connection is made again, and nothing is returned twice. A `Problem` here is a value: one is raised if
        the call as a whole is refused.
        """
        targets = protocol.checked(users)
        if not 1 <= len(targets) <= protocol.MOST_USERS:
            raise ValueError(f"1 to {protocol.MOST_USERS} users can be watched, not {len(targets)}")
        body = protocol.lookup_many(targets).body or b""
        return watch(self._http, f"{self._base}/v1/watch", self._headers, body)

    async def platforms(self, *, timeout: float | None = None) -> list[Platform]:
        """The platforms that this caller may use."""
        request = Request("GET", "/v1/platforms")
        return (await self._run(self._calls.one(request, protocol.Platforms, self._within(timeout)))).platforms

    async def wait_ready(self, timeout: float = 30.0) -> None:
        """Wait until the gateway is ready, or raise GatewayUnreachable after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            outcome = await self._exchange(Send(Request("GET", "/readyz"), min(left, self._timeout)))
            if isinstance(outcome, Answer) and outcome.status == 200:
                return
            await asyncio.sleep(min(0.1, left))
        raise GatewayUnreachable(f"the gateway was not ready within {timeout} seconds", sent=False)

    async def aclose(self) -> None:
        """Close the connections, of all views too."""
        await self._http.aclose()

    async def _look_up(self, request: Request) -> Connection:
        return await self._run(self._calls.one(request, Connection, self._timeout))

    async def _look_up_many(self, users: list[Target]) -> list[Connection | Problem]:
        return await self._run(self._calls.lookup_many(users, self._timeout))

    def _within(self, timeout: float | None) -> float:
        return self._timeout if timeout is None else timeout

    async def _run(self, call: Call[T]) -> T:
        outcome: Outcome = None
        try:
            while True:
                step = call.send(outcome)
                if isinstance(step, Sleep):
                    await asyncio.sleep(step.seconds)
                    outcome = None
                else:
                    outcome = await self._exchange(step)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # what the generator returned

    async def _exchange(self, send: Send) -> Answer | GatewayUnreachable:
        if failure := wire.missing(self._socket):
            return failure
        try:
            async with asyncio.timeout(send.timeout + wire.SLACK):
                return wire.answer(await self._http.request(**wire.arguments(self._base, send, self._headers)))
        except (httpx.HTTPError, TimeoutError) as error:
            return wire.failure(error)
