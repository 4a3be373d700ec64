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
"""The outcome of an action that is about to be sent, and of a stream that has begun. Another line says how it ended,
unless the process is killed."""
UNANSWERED: Final = "unanswered"
"""The outcome for a caller who was cut off. How an action ended then, another line says."""
OWN: Final = "own"
"""The viewer who is nobody in particular: the one whose credential the gateway holds."""


class Audit:
    """Writes audit lines. Users and viewers appear as keyed hashes, as everywhere in the log."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def request(self, record: RequestRecord, *, answered: bool) -> None:
        """What was asked for, and what the caller was told; not `answered`: nothing."""
        named = record.named or (record.claimed_viewers if record.problem else {})
        outcome = None if answered else UNANSWERED
        for platform, user_id in named.items():
            self._line(record, platform or record.platform, self._log.user(user_id), outcome=outcome)
        if record.action in ACTIONS and not named:
            self._line(record, record.platform, self._hash(record.viewer), outcome=outcome)

    async def begun(self, record: RequestRecord) -> None:
        """An action is about to be sent: returns when that stands in the log, or the log takes nothing."""
        self._line(record, record.platform, self._hash(record.viewer), outcome=BEGUN)
        await self._log.written()

    def stream_begun(self, record: RequestRecord) -> None:
        """A stream has begun, which may go on for days. It has the same lines again when it ends."""
        for platform, user_id in record.named.items():
            self._line(record, platform, self._log.user(user_id), outcome=BEGUN)

    def late(self, record: RequestRecord, outcome: str) -> None:
        """How an action ended that its caller did not wait for: the status that it led to, or a problem's slug."""
        viewer = self._hash(record.viewer)
        self._line(record, record.platform, viewer, outcome=outcome, late=True)

    def _line(
        self,
        record: RequestRecord,
        platform: str | None,
        viewer: str | None,
        outcome: str | None = None,
        *,
        late: bool = False,
    ) -> None:
        self._log.line(
            "audit",
            request_id=record.request_id,
            caller=record.caller,
            platform=platform,
            viewer=viewer,
            action=record.action,
            user=None if record.user_id is None else self._log.user(record.user_id),
            outcome=outcome or record.outcomes.get(platform or "") or record.problem or DONE,
            late=late,
        )

    def _hash(self, viewer: Viewer | None) -> str | None:
        if viewer is None:
            return None
        if viewer.user_id is not None:
            return self._log.user(viewer.user_id)
        return OWN if viewer == Viewer.own(viewer.platform) else self._log.hash(viewer.key)
