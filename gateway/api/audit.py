"""The audit log: a line for each action, and one for each platform that was asked on behalf of a named user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.contract import Action, Viewer
from gateway.telemetry.log import Log

if TYPE_CHECKING:
    from gateway.api.request_record import RequestRecord

ACTIONS: Final = frozenset(Action)
DONE: Final = "ok"
"""The outcome of a call that only read."""
BEGUN: Final = "begun"
"""The outcome of an action that is about to be sent. Another line says how it ended, unless the process is killed."""
UNANSWERED: Final = "unanswered"
"""The outcome for a caller who was cut off. How an action ended then, another line says."""
OWN: Final = "own"
"""The viewer who is nobody in particular: the one whose credential the gateway holds."""


class Audit:
    """Writes audit lines. Users and viewers appear as keyed hashes, as everywhere in the log."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def request(self, access: RequestRecord, *, answered: bool) -> None:
        """What was asked for, and what the caller was told; not `answered`: nothing."""
        named = access.named or (access.claimed_viewers if access.problem else {})
        outcome = None if answered else UNANSWERED
        for platform, user_id in named.items():
            self._line(access, platform or access.platform, self._log.user(user_id), outcome=outcome)
        if access.action in ACTIONS and not named:
            self._line(access, access.platform, self._hash(access.viewer), outcome=outcome)

    async def begun(self, access: RequestRecord) -> None:
        """An action is about to be sent: returns when that stands in the log, or the log takes nothing."""
        self._line(access, access.platform, self._hash(access.viewer), outcome=BEGUN)
        await self._log.written()

    def late(self, access: RequestRecord, outcome: str) -> None:
        """How an action ended that its caller did not wait for: the status that it led to, or a problem's slug."""
        viewer = self._hash(access.viewer)
        self._line(access, access.platform, viewer, outcome=outcome, late=True)

    def _line(
        self,
        access: RequestRecord,
        platform: str | None,
        viewer: str | None,
        outcome: str | None = None,
        *,
        late: bool = False,
    ) -> None:
        self._log.line(
            "audit",
            request_id=access.request_id,
            caller=access.caller,
            platform=platform,
            viewer=viewer,
            action=access.action,
            user=None if access.user_id is None else self._log.user(access.user_id),
            outcome=outcome or access.outcomes.get(platform or "") or access.problem or DONE,
            late=late,
        )

    def _hash(self, viewer: Viewer | None) -> str | None:
        if viewer is None:
            return None
        if viewer.user_id is not None:
            return self._log.user(viewer.user_id)
        return OWN if viewer == Viewer.own(viewer.platform) else self._log.hash(viewer.key)
