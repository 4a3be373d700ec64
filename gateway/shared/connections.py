"""The second tier of the cache: what platforms answered, for the other replicas and for the time after a restart.

An entry may be used only if nothing has happened since it was read from the platform. No clocks of replicas are
compared for that:

- Before a call, a script reads the entries, and puts a random claim where there is none. After the call, a script
  replaces what was read, and only if it is still there. An action deletes the name, so that neither an older entry
  nor an answer that was on its way can come back; nor can it after the server has evicted or lost anything.
- Each entry names the marks under which it was read: one of the platform, and one of the viewer. They are random. A
  refused credential deletes the viewer's mark. Lost messages, and events of a platform, delete the platform's.
- Ages are measured by the server's own clock, and stand in the encrypted value.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from adapters.contract import (
    Connection,
    CredentialRefused,
    Forbidden,
    OwnCredentialRefused,
    PlatformError,
    UserNotFound,
    Viewer,
)
from adapters.loop import OneLoop
from adapters.secret import RedactedRepr
from adapters.user_ids import UserKey
from gateway.shared.metrics import SharedMetrics
from gateway.shared.sealing import Sealer
from gateway.shared.store import Store, StoreDown

FORMAT: Final = b"1"
"""Of the entries. It is part of their names: another version of the gateway does not find them."""
LIFETIME_OF_MARKS: Final = 3600
"""Seconds. Then the entries under them are of no more use."""
LONGEST_CALL: Final = 4
"""In `request_timeout`: how long a claim is kept. What took longer is not written."""
READ: Final = """
local found = redis.call('MGET', unpack(KEYS))
for place = 1, #KEYS do
    if not found[place] then
        redis.call('SET', KEYS[place], ARGV[1], 'PX', place < 3 and ARGV[2] or ARGV[3])
    end
end
return {redis.call('TIME'), found}
"""
WRITE: Final = """
for place = 1, #KEYS do
    if redis.call('GET', KEYS[place]) == ARGV[2 * place] then
        redis.call('SET', KEYS[place], ARGV[2 * place + 1], 'PX', ARGV[1])
    end
end
"""


class Entry(RedactedRepr, msgspec.Struct, frozen=True, array_like=True):
    """As it is kept, encrypted. `said_at` is when the platform said so, in seconds by the server's clock."""

    marks: tuple[bytes, bytes]
    said_at: float
    body: bytes


class Claim(RedactedRepr, msgspec.Struct, frozen=True):
    """What allows to write an entry later: what stood there, under which marks, and the two clocks at that time."""

    before: bytes
    marks: tuple[bytes, bytes]
    server: float
    local: float


class Found(RedactedRepr, msgspec.Struct, frozen=True):
    """The entries as JSON, with when the platform said so (`loop.time()`); and the claims of all."""

    entries: Mapping[UserKey, tuple[bytes, float]]
    claims: Mapping[UserKey, Claim]


NOTHING: Final = Found({}, {})
_ENTRY: Final = msgspec.msgpack.Decoder(Entry)
_CONNECTION: Final = msgspec.json.Decoder(Connection)


class SharedConnections(OneLoop):
    """Those of one platform, under one credential. Nothing here raises: without the store nothing is found."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        platform: str,
        parts: tuple[bytes, ...],
        *,
        fresh_for: float,
        max_age: float,
        request_timeout: float,
        metrics: SharedMetrics,
        must_clear: bool = False,
    ) -> None:
        """Entries are of no more use after `max_age` seconds. `parts` are what the platform and the credential are.

        `must_clear`: whether what is kept there by now may be wrong.
        """
        self._store = store
        self._sealer = sealer
        self._platform = platform
        self._parts = parts
        self.fresh_for = fresh_for
        self._max_age = max_age
        self._longest = LONGEST_CALL * request_timeout
        self._metrics = metrics
        self._mark = sealer.name("mark", FORMAT, *parts)
        self._refusals = 0
        self._must_clear = must_clear
        """whether a deletion was lost: then nothing is used before everything of the platform is deleted"""

    async def get(self, viewer: Viewer, user_ids: Sequence[UserKey]) -> Found:
        """What is kept of these, whatever its age, up to `max_age`."""
        refusals = self._refusals
        names = [self._name(viewer, user_id) for user_id in user_ids]
        claim = secrets.token_bytes(16)
        marks_for, claims_for = LIFETIME_OF_MARKS * 1000, max(int(self._longest * 1000), 1)
        keys = (self._mark, self._viewer_mark(viewer), *names)
        try:
            if self._must_clear:
                await self._clear_first()
            (seconds, micros), kept = await self._store.run(
                "EVAL", READ, len(keys), *keys, claim, marks_for, claims_for
            )
        except StoreDown:
            return NOTHING
        local, server = self._loop.time(), int(seconds) + int(micros) / 1e6
        marks = kept[0] or claim, kept[1] or claim
        found = {
            user_id: entry
            for user_id, name, sealed in zip(user_ids, names, kept[2:], strict=True)
            if (entry := self._opened(user_id, name, sealed, marks, server)) is not None
        }
        if refusals != self._refusals or self._must_clear:
            return NOTHING
        self._metrics.cache_hits.inc(len(found))
        self._metrics.cache_misses.inc(len(names) - len(found))
        return Found(
            {user_id: (entry.body, local - max(server - entry.said_at, 0.0)) for user_id, entry in found.items()},
            {
                user_id: Claim(before or claim, marks, server, local)
                for user_id, before in zip(user_ids, kept[2:], strict=True)
            },
        )

    def put(self, viewer: Viewer, said: Iterable[tuple[UserKey, Claim, bytes, float]]) -> None:
        """Keep these answers unless anything has happened: JSON, and when the platform said so (`loop.time()`)."""
        names: list[str] = []
        values: list[bytes] = []
        for user_id, claim, body, at in said:
            if at - claim.local < self._longest:
                name = self._name(viewer, user_id)
                entry = Entry(claim.marks, claim.server + at - claim.local, body)
                names.append(name)
                values += claim.before, self._sealer.seal(name, msgspec.msgpack.encode(entry))
        if names:
            self._store.post("EVAL", WRITE, len(names), *names, max(int(self._max_age * 1000), 1), *values)

    def evict(self, viewer: Viewer, user_id: UserKey) -> None:
        """An action may have changed this connection."""
        self._delete(self._name(viewer, user_id))

    def on_refusal(self, viewer: Viewer, user_id: UserKey | None, error: PlatformError) -> None:
        """Evict what a refusal makes unfit to be served."""
        match error:
            case CredentialRefused() | OwnCredentialRefused():
                self._delete(self._viewer_mark(viewer))
            case Forbidden() | UserNotFound() if user_id is not None:
                self.evict(viewer, user_id)

    def discard_reads(self) -> None:
        """Use nothing that is being read: a refusal has come in between."""
        self._refusals += 1

    def clear(self) -> None:
        """Evict everything of the platform."""
        self._delete(self._mark)

    async def _clear_first(self) -> None:
        self._must_clear = False
        try:
            await self._store.run("DEL", self._mark)
        except StoreDown:
            self._must_clear = True
            raise

    def _delete(self, name: str) -> None:
        self._store.post("DEL", name, lost=self._lose)

    def _lose(self) -> None:
        self._must_clear = True

    def _opened(
        self, user_id: UserKey, name: str, sealed: object, marks: tuple[bytes, bytes], server: float
    ) -> Entry | None:
        data = self._sealer.open(name, sealed)
        if data is None:
            return None
        try:
            entry = _ENTRY.decode(data)
            connection = _CONNECTION.decode(entry.body)
        except msgspec.MsgspecError:
            return None
        is_its = connection.platform == self._platform and connection.user_id == str(user_id) and not connection.stale
        return entry if is_its and entry.marks == marks and server - entry.said_at < self._max_age else None

    def _name(self, viewer: Viewer, user_id: UserKey) -> str:
        return self._sealer.name("connection", FORMAT, *self._parts, viewer.key, str(user_id).encode())

    def _viewer_mark(self, viewer: Viewer) -> str:
        return self._sealer.name("viewer", FORMAT, *self._parts, viewer.key)
