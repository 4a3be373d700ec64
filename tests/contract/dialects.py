"""What the contract suite must know of each platform to make it say something. A new adapter adds itself here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import httpx
import msgspec

from adapters import connect
from adapters.contract import Adapter, Connection, PlatformError, Status, Viewer
from adapters.selfcommunity.simulator import SECRET
from adapters.settings import PlatformSettings
from adapters.simulation import Simulator, private_key, simulator
from gateway.config.converter import from_tables
from tests.wire import Bounded, InProcess

KEY: Final = private_key()
USER: Final = 769658112378
"""The target of every test in the suite; the number is the seeds'."""
STRANGER: Final = 404404
"""Nobody has this id."""


class Dialect(msgspec.Struct, frozen=True):
    """`words` is all that the platform can say about a user, None being "no connection"."""

    adapter: str
    own: dict[str, Any]
    """credentials with which the platform is asked as one user"""
    named: dict[str, Any]
    """credentials with which it is asked as whom the caller names"""
    words: dict[str | None, Status]
    says_who_exists: bool
    """whether its 404 means that there is no such user; else it is `none`"""
    good: str
    """an answer about USER, as JSON"""
    broken: dict[str, str]
    """answers with status 200 that break the platform's promise, by what is wrong with them"""
    not_found: str
    """the platform's own 404 body"""
    many_path: str
    """what the path of a batch read contains, and that of no other call"""
    many: Callable[[dict[int, str | None]], Any]
    """a batch read's answer that says these words of these users"""
    list_path: str
    """what the path of every list of pending connections contains, and that of no single read"""
    incoming: Callable[[int], dict[str, Any]]
    """an entry of a list: a request that this user made"""
    incoming_at: Callable[[int, str], dict[str, Any]] | None
    """the same with the ISO 8601 time at which it was made; None where times are numbers"""
    listed: Callable[[list[Any]], Any]
    """a list that has these entries"""
    nameless: dict[str, Any]
    """entries that name no user, by what is wrong with them"""
    who_am_i: tuple[str, str]
    """what the path contains that says whom the platform takes us for, and the least that it can answer of user 1"""
    logs_in: bool
    """whether `own` credentials get their token by a login"""


SYMPHONY: Final = Dialect(
    adapter="symphony",
    own={"mode": "bot", "username": "demo", "private_key": KEY},
    named={"mode": "obo", "app_id": "app", "private_key": KEY},
    words={
        "PENDING_INCOMING": Status.PENDING_INCOMING,
        "PENDING_OUTGOING": Status.PENDING_OUTGOING,
        "ACCEPTED": Status.CONNECTED,
        "REJECTED": Status.REJECTED,
        None: Status.NONE,
    },
    says_who_exists=False,
    good=f'{{"userId":{USER},"status":"ACCEPTED"}}',
    broken={
        "an unknown word": f'{{"userId":{USER},"status":"BLOCKED"}}',
        "a word in lower case": f'{{"userId":{USER},"status":"accepted"}}',
        "null for the word": f'{{"userId":{USER},"status":null}}',
        "a number for the word": f'{{"userId":{USER},"status":1}}',
        "no word": f'{{"userId":{USER}}}',
        "no user": '{"status":"ACCEPTED"}',
        "another user": '{"userId":1,"status":"ACCEPTED"}',
        "text for the user": f'{{"userId":"{USER}","status":"ACCEPTED"}}',
        "text for a time": f'{{"userId":{USER},"status":"ACCEPTED","updatedAt":"2016"}}',
        "a time after the year 9999": f'{{"userId":{USER},"status":"ACCEPTED","updatedAt":253402300800000}}',
        "a time before the year 1": f'{{"userId":{USER},"status":"ACCEPTED","updatedAt":-62135596800001}}',
        "a time beyond 64 bits": f'{{"userId":{USER},"status":"ACCEPTED","updatedAt":{2**70}}}',
        "a negative counter": f'{{"userId":{USER},"status":"ACCEPTED","requestCounter":-1}}',
        "a list": f'[{{"userId":{USER},"status":"ACCEPTED"}}]',
    },
    not_found='{"code":403,"message":"no"}',
    many_path="/connection/list",
    many=lambda words: [{"userId": user, "status": word} for user, word in words.items() if word],
    list_path="/connection/list",
    incoming=lambda user: {"userId": user, "status": "PENDING_INCOMING"},
    incoming_at=None,
    listed=lambda entries: entries,
    nameless={
        "no user": {"status": "PENDING_INCOMING"},
        "null for the user": {"userId": None, "status": "PENDING_INCOMING"},
        "text for the user": {"userId": "102", "status": "PENDING_INCOMING"},
        "no user has this id": {"userId": 0, "status": "PENDING_INCOMING"},
        "null": None,
    },
    who_am_i=("/sessioninfo", '{"id":1}'),
    logs_in=True,
)

SELFCOMMUNITY: Final = Dialect(
    adapter="selfcommunity",
    own={"mode": "token", "token": "demo"},
    named={"mode": "jwt", "secret": SECRET},
    words={
        "connected": Status.CONNECTED,
        "sent_connection_request": Status.PENDING_OUTGOING,
        "received_connection_request": Status.PENDING_INCOMING,
        None: Status.NONE,
    },
    says_who_exists=True,
    good='{"connection_status":"connected"}',
    broken={
        "an unknown word": '{"connection_status":"blocked"}',
        "the documentation's placeholder": '{"connection_status":"string"}',
        "a number for the word": '{"connection_status":1}',
        "no word": "{}",
        "another field": '{"status":"connected"}',
        "a list": '[{"connection_status":"connected"}]',
    },
    not_found='{"errors":[{"code":"not_found","message":"no"}]}',
    many_path="/connection/statuses/",
    many=lambda words: {"connection_statuses": {str(user): word for user, word in words.items()}},
    list_path="/connection/requests",
    incoming=lambda user: {"from_user": {"id": user}, "created": None, "rejected": None},
    incoming_at=lambda user, time: {"from_user": {"id": user}, "created": time, "rejected": None},
    listed=lambda entries: {"count": len(entries), "next": None, "previous": None, "results": entries},
    nameless={
        "a deleted account": {"from_user": None, "created": None, "rejected": None},
        "no user": {"created": None, "rejected": None},
        "a user without an id": {"from_user": {"username": "x"}, "created": None, "rejected": None},
        "text for the user": {"from_user": "102", "created": None, "rejected": None},
        "no user has this id": {"from_user": {"id": 0}, "created": None, "rejected": None},
        "null": None,
    },
    who_am_i=("/user/me/", '{"id":1}'),
    logs_in=False,
)

DIALECTS: Final = (SYMPHONY, SELFCOMMUNITY)

BROKEN_EVERYWHERE: Final = {
    "HTML": "<html><body>maintenance</body></html>",
    "nothing": "",
    "cut-off JSON": '{"connection_status":"conn',
    "two documents": "{}{}",
    "null": "null",
    "text": '"connected"',
    "deep nesting": "[" * 100_000,
    "deep nesting in a field that nobody reads": '{"x":' + "[" * 100_000,
    "a body over the cap": '"' + "x" * 1024 * 1024 + '"',
}
"""Answers with status 200 that no platform may give."""


class Platform:
    """One simulated platform, and an adapter that is connected to it."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.simulator: Simulator = simulator(dialect.adapter)
        self.adapter = self.connect(InProcess(self.simulator))
        self.viewer = Viewer.own("acme")

    def settings(self, base_url: str = "http://acme.example", **credentials: Any) -> PlatformSettings:
        table = {
            "adapter": self.dialect.adapter,
            "base_url": base_url,
            "credentials": credentials or self.dialect.own,
        }
        callers = [{"name": "web", "key_sha256": "0" * 64}]
        return from_tables({"platforms": {"acme": table}, "callers": callers}).platforms["acme"]

    def connect(
        self, wire: httpx.AsyncBaseTransport, base_url: str = "http://acme.example", timeout: float = 60.0, **own: Any
    ) -> Adapter:
        """An adapter over another wire, or with other credentials."""
        return self.over(Bounded(wire), base_url, timeout, **own)

    def over(
        self,
        innermost: httpx.AsyncBaseTransport,
        base_url: str = "http://acme.example",
        timeout: float = 60.0,
        **own: Any,
    ) -> Adapter:
        """An adapter over a wire that keeps deadlines by itself."""
        return connect("acme", self.settings(base_url, **own), innermost, timeout=timeout)

    def word(self, status: Status) -> str | None:
        """What the platform calls this status."""
        return next(word for word, each in self.dialect.words.items() if each is status)

    def set(self, user_id: int, status: Status) -> None:
        self.simulator.platform.set_connection(1, user_id, self.word(status))

    async def read(
        self, user_id: int = USER, adapter: Adapter | None = None, viewer: Viewer | None = None
    ) -> Connection:
        """The connection, or the PlatformError raised, whether it came for all or for this user."""
        found = (await (adapter or self.adapter).read(viewer or self.viewer, (user_id,)))[user_id]
        if isinstance(found, PlatformError):
            raise found
        return found
