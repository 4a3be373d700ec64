"""An action, once for all platforms: from what is to what was asked for, and never twice.

1. The status is read. If it meets the action's goal already, that is success, and nothing is sent; if the platform
   offers no such action in that status, it is not possible.
2. The action is sent, once.
3. If it may have been applied although it failed (a timeout, a lost connection, 5xx, nonsense), or if the platform
   refuses what the status seemed to allow, the status is read back, in a share of the time that is kept for it.
   Goal met: success. Not met: not possible, if the platform refused the action, or if it answered 500 in its own
   words and the status does not allow the action; else the failure. No answer: the outcome is unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from adapters.contract import (
    Action,
    ActionFailed,
    ActionRefused,
    Adapter,
    Connection,
    DeadlineExceeded,
    PlatformError,
    Status,
    UserNotFound,
    Viewer,
)
from adapters.user_ids import UserKey
from gateway.aio.background_tasks import BackgroundTasks
from gateway.problems.problem import Kind, Problem

GOALS: Final[Mapping[Action, frozenset[Status]]] = {
    Action.REQUEST: frozenset({Status.PENDING_OUTGOING, Status.CONNECTED}),
    Action.ACCEPT: frozenset({Status.CONNECTED}),
    Action.REJECT: frozenset({Status.REJECTED, Status.NONE}),
    Action.CANCEL: frozenset({Status.NONE}),
    Action.REMOVE: frozenset({Status.NONE}),
}
"""The statuses in which there is nothing left to do."""

Outcome = Connection | PlatformError


def kept_for_reading_back(request_timeout: float) -> float:
    """Seconds of an action's time: 25 %, at least 0.3, never more than half."""
    return min(max(request_timeout / 4, 0.3), request_timeout / 2)


class Attempt:
    """One action of `viewer` on `user_id`. It ends by `until` (`loop.time()`), whoever still waits for it."""

    def __init__(
        self,
        adapter: Adapter,
        viewer: Viewer,
        user_id: UserKey,
        action: Action,
        *,
        until: float,
        kept: float,
        calls: BackgroundTasks,
        forget: Callable[[asyncio.Task[Connection]], None],
        begin: Callable[[], Awaitable[None]],
    ) -> None:
        """`begin` is awaited just before the action is sent, if it is.

        `forget` is called when the action's own call has ended, which may be after the attempt has.
        """
        self.sent = False
        """whether the platform may have seen the action, or may see it yet"""
        self._adapter = adapter
        self._viewer = viewer
        self._user_id = user_id
        self._action = action
        self._goal = GOALS[action]
        self._until = until
        self._kept = kept
        self._calls = calls
        self._forget = forget
        self._begin = begin

    async def run(self) -> Connection:
        """The connection after the action. Raises a PlatformError, or the Problem that says why not."""
        reading = self._calls.start(self._adapter.read_before(self._viewer, self._user_id))
        await self._calls.wait(reading, until=self._until)
        if not reading.done():
            raise DeadlineExceeded(self._adapter.platform, "no answer in time: nothing was sent")
        before = reading.result()
        if before.connection.status in self._goal:
            return before.connection
        if self._action not in before.connection.actions:
            raise self._not_possible(before.connection)
        if self._now() >= self._until - self._kept:
            raise DeadlineExceeded(self._adapter.platform, "no time was left to act: nothing was sent")
        await self._begin()
        self.sent = True
        acting = self._calls.start(self._adapter.act(self._viewer, self._user_id, self._action, before))
        acting.add_done_callback(self._forget)
        await self._calls.wait(acting, until=self._until - self._kept)
        if not acting.done():
            return await self._read_back(None, acting)
        said = _outcome(acting)
        if certain := _certain_failure(said):
            raise certain
        if isinstance(said, Connection) and said.status in self._goal:
            return said
        return await self._read_back(said)

    def unknown(self) -> Problem:
        """What to say while, or because, nobody can tell whether the action was applied."""
        detail = "the action was begun, and whether it was applied can't be said: look the connection up"
        return Problem(Kind.OUTCOME_UNKNOWN, detail, platform=self._adapter.platform)

    async def _read_back(self, said: Outcome | None, *acting: asyncio.Task[Connection]) -> Connection:
        """What is, or why it is not what was asked for: as the platform `said`, or while it is still `acting`."""
        reading = self._calls.start(self._read())
        met = await self._first_to_meet_the_goal(reading, *acting)
        if met is not None:
            return met
        for late in acting:
            if late.done() and not isinstance(answer := _outcome(late), DeadlineExceeded):
                if isinstance(answer, PlatformError) and answer.may_have_acted:
                    raise self.unknown()  # what was read may have been before that
                if certain := _certain_failure(answer):
                    raise certain
                said = answer
        current = _outcome(reading) if reading.done() else None
        if isinstance(current, UserNotFound):
            raise current
        if not isinstance(current, Connection):
            raise self.unknown()
        raise self._not_met(said, current)

    def _not_met(self, said: Outcome | None, current: Connection) -> PlatformError | Problem:
        """Why the status that was read back is not what was asked for."""
        if said is None:
            detail = "no answer in time; read back, it was not applied so far"
            return DeadlineExceeded(self._adapter.platform, detail)
        if isinstance(said, ActionFailed) and self._action not in current.actions:
            return self._not_possible(current)
        if isinstance(said, PlatformError) and not isinstance(said, ActionRefused):
            return said
        return self._not_possible(current, refused=True)

    async def _first_to_meet_the_goal(self, *tasks: asyncio.Task[Connection]) -> Connection | None:
        waiting = set(tasks)
        while waiting and self._now() < self._until:
            await self._calls.wait(*waiting, until=self._until, first=True)
            done = {task for task in waiting if task.done()}
            waiting -= done
            for found in [_outcome(task) for task in done]:
                if isinstance(found, Connection) and found.status in self._goal:
                    return found
        return None

    async def _read(self) -> Connection:
        found = (await self._adapter.read(self._viewer, (self._user_id,)))[self._user_id]
        if isinstance(found, PlatformError):
            raise found
        return found

    def _not_possible(self, current: Connection, *, refused: bool = False) -> Problem:
        if refused:
            detail = f"the connection is {current.status}, and the platform refuses to {self._action} it"
            left = tuple(action for action in current.actions if action is not self._action)
            current = msgspec.structs.replace(current, actions=left)
        else:
            possible = (
                f"possible actions: {', '.join(current.actions)}" if current.actions else "no action is possible"
            )
            detail = f"the connection is {current.status}: {possible}"
        name = self._adapter.platform
        return Problem(Kind.ACTION_NOT_POSSIBLE, detail, platform=name, connection=current)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _certain_failure(said: Outcome) -> PlatformError | None:
    """What was said, if it says for certain that nothing was done, and why."""
    if isinstance(said, PlatformError) and not said.may_have_acted and not isinstance(said, ActionRefused):
        return said
    return None


def _outcome(task: asyncio.Task[Connection]) -> Outcome:
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, PlatformError):
        return error
    raise error
