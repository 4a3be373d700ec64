"""A gateway in memory, for the tests of bots."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from typing import Final, Self

from connection_gateway.errors import GatewayError, IncompleteList
from connection_gateway.identity import platform_name, user_id
from connection_gateway.models import Action, Connection, Platform, Status
from connection_gateway.problems import ActionNotPossible, Details, Problem
from connection_gateway.protocol import Pair

TIME: Final = "2026-01-01T00:00:00.000Z"
ACTIONS: Final[dict[Status, dict[str, Status]]] = {
    Status.NONE: {"request": Status.PENDING_OUTGOING},
    Status.PENDING_INCOMING: {"accept": Status.CONNECTED, "reject": Status.REJECTED},
    Status.PENDING_OUTGOING: {"cancel": Status.NONE},
    Status.CONNECTED: {"remove": Status.NONE},
    Status.REJECTED: {"request": Status.PENDING_OUTGOING},
}
"""What each action leads to: those of both kinds of platform together."""
GOALS: Final[dict[str, frozenset[Status]]] = {
    "request": frozenset({Status.PENDING_OUTGOING, Status.CONNECTED}),
    "accept": frozenset({Status.CONNECTED}),
    "reject": frozenset({Status.REJECTED, Status.NONE}),
    "cancel": frozenset({Status.NONE}),
    "remove": frozenset({Status.NONE}),
}
"""Where the action has nothing left to do, and succeeds."""
PENDING: Final = (Status.PENDING_INCOMING, Status.PENDING_OUTGOING)


class FakeGateway:
    """Has the methods of `AsyncGateway`. `asked` is the log of (method, platform, user id).

    Every view has the same connections, failures and log.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self._statuses: dict[tuple[str, str], Status] = {}
        self._failures: dict[str, GatewayError] = {}
        self._change = asyncio.Event()

    def set(self, platform: str, user: int | str, status: Status) -> None:
        """Set the status of the connection with this user."""
        self._statuses[platform_name(platform), user_id(user)] = status
        self._changed()

    def fail(self, platform: str, error: GatewayError | None) -> None:
        """Make every call to this platform raise this error, or with None no longer."""
        self._failures.pop(platform, None)
        if error is not None:
            self._failures[platform] = error
        self._changed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def on_behalf_of(self, **viewers: int | str) -> Self:
        """The same gateway."""
        for name, user in viewers.items():
            user_id(user), platform_name(name)
        return self

    def with_tokens(self, **tokens: str) -> Self:
        """The same gateway."""
        for name in tokens:
            platform_name(name)
        return self

    async def lookup(self, platform: str, user_id: int | str, *, timeout: float | None = None) -> Connection:
        """The connection as it was set; `none` if it was not."""
        return await self._found("lookup", platform, user_id)

    async def lookup_many(self, users: Iterable[Pair], *, timeout: float | None = None) -> list[Connection | Problem]:
        """Each connection as it was set, or the problem of its platform."""
        found: list[Connection | Problem] = []
        for name, user in users:
            try:
                found.append(await self._found("lookup_many", name, user))
            except Problem as problem:
                found.append(problem)
        return found

    async def connections(
        self,
        *,
        platform: str | Sequence[str] = (),
        status: Status | Sequence[Status] = (),
        on_problem: Callable[[Problem], None] | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[Connection]:
        """Those that were set; by default the pending ones."""
        platforms = (platform,) if isinstance(platform, str) else platform
        statuses = (status,) if isinstance(status, str) else status or PENDING
        problems: list[Problem] = []
        for (name, user), each in list(self._statuses.items()):
            if name not in self._failures and (not platforms or name in platforms) and each in statuses:
                self.asked.append(("connections", name, user))
                yield _connection(name, user, each)
        for name, failure in self._failures.items():
            if not platforms or name in platforms:
                if not isinstance(failure, Problem):
                    raise failure
                (on_problem or problems.append)(failure)
        if problems:
            raise IncompleteList(problems)

    async def act(self, connection: Connection | Pair, action: Action, *, timeout: float | None = None) -> Connection:
        """Apply the action, or raise ActionNotPossible."""
        name, user = connection if isinstance(connection, tuple) else (connection.platform, connection.user_id)
        found = await self._found(f"act {action}", name, user)
        if found.status in GOALS[action]:
            return found
        if action not in ACTIONS[found.status]:
            title = "The connection is in a state that does not allow this action"
            details = Details("/problems/action-not-possible", title, 409, platform=name, connection=found)
            raise ActionNotPossible(details)
        self.set(name, user, ACTIONS[found.status][action])
        return _connection(name, found.user_id, ACTIONS[found.status][action])

    async def watch(self, users: Iterable[Pair]) -> AsyncGenerator[Connection | Problem]:
        """Each connection as it was set, or the problem of its platform; then whatever is set anew."""
        users = list(users)
        returned: dict[Pair, Connection | Problem] = {}
        while True:
            change = self._change
            for user, found in zip(users, await self.lookup_many(users), strict=True):
                if returned.get(user) != found:
                    returned[user] = found
                    yield found
            await change.wait()

    async def platforms(self, *, timeout: float | None = None) -> list[Platform]:
        """The platforms of the connections that were set."""
        names = sorted({name for name, _ in self._statuses})
        return [Platform(name, "fake", "token", tuple(GOALS), "up") for name in names]

    async def wait_ready(self, timeout: float = 30.0) -> None:
        """Return at once."""

    async def aclose(self) -> None:
        """Do nothing."""

    def _changed(self) -> None:
        """Wake those that watch."""
        self._change.set()
        self._change = asyncio.Event()

    async def _found(self, method: str, platform: str, user: int | str) -> Connection:
        await asyncio.sleep(0)
        key = platform_name(platform), user_id(user)
        self.asked.append((method, *key))
        if platform in self._failures:
            raise self._failures[platform]
        return _connection(*key, self._statuses.get(key, Status.NONE))


def _connection(platform: str, user: str, status: Status) -> Connection:
    return Connection(platform, user, status, None, tuple(ACTIONS[status]), None, None, None, TIME, stale=False)
