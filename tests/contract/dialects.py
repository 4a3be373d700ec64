"""What the contract suite must know of each platform to make it say something. A new adapter adds itself here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx
import msgspec
import pytest

from adapters import AdapterClass, adapter_name, buddypress, selfcommunity, symphony
from adapters.buddypress.simulator import Platform as Site
from adapters.contract import Action, Adapter, Connection, InvalidAnswer, PlatformError, Status, Viewer
from adapters.selfcommunity.simulator import SECRET
from adapters.selfcommunity.simulator import Platform as Community
from adapters.settings import PlatformSettings
from adapters.simulation import Simulator, private_key
from adapters.simulation.app import SimulatedPlatform
from adapters.simulation.faults import Fault
from adapters.symphony.simulator import Platform as Pod
from adapters.upstream import Upstream
from adapters.user_ids import UserKey
from gateway.config.converter import platform_settings
from tests.contract import minimal
from tests.wire import Bounded, InProcess

KEY: Final = private_key()
USER: Final = 769658112378
"""The target of every test in the suite; the number is the seeds'."""
STRANGER: Final = 404404
"""Nobody has this id."""


def itself(number: int) -> int:
    return number


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """`words` is all that the platform can say about a user in a lookup, None being "no connection".

    What a platform has not, the adapter declares, or it is None here: then nothing is asked about it.
    """

    settings: type[PlatformSettings]
    connect: AdapterClass
    simulated: Callable[[], SimulatedPlatform]
    user: Callable[[int], UserKey] = itself
    """the key of the simulated user who has this number in the seeds; the id of the largest number is the longest"""
    own: dict[str, Any]
    """credentials with which the platform is asked as one user"""
    named: dict[str, Any] | None
    """credentials with which it is asked as whom the caller names"""
    words: dict[str | None, Status]
    is_wordless: bool = False
    """whether a read of one user has no word for the status"""
    says_who_exists: bool
    """whether its 404 with the body `not_found` means that there is no such user; else it is `none`"""
    good: str
    """an answer about USER, as JSON"""
    broken: dict[str, str]
    """answers with status 200 that break the platform's promise, by what is wrong with them"""
    not_found: str
    """the platform's own 404 body"""
    more_not_found: dict[str, Status | type[PlatformError]] = {}
    """its other 404 bodies, each with what it says of the user"""
    many_path: str = ""
    """what the path of a batch read contains, and that of no other call"""
    many: Callable[[dict[UserKey, str | None]], Any] | None = None
    """a batch read's answer that says these words of these users; None where there is no such call"""
    acting_path: str
    """what the path of each call that acts contains, and that of no call before it"""
    preparing: frozenset[Action] = frozenset()
    """actions before which there is another call, that only reads"""
    unguarded: frozenset[tuple[Status, Action]] = frozenset()
    """actions that the platform carries out although the connection is in a status that does not allow them"""
    list_path: str
    """what the path of every list of pending connections contains, and that of no single read"""
    incoming: Callable[[UserKey], dict[str, Any]]
    """an entry of a list: a request that this user made"""
    incoming_at: Callable[[UserKey, str], dict[str, Any]] | None
    """the same with the ISO 8601 time, in UTC, at which it was made; None where times are numbers"""
    counts: bool = True
    """whether a list says how many more there are"""
    listed: Callable[[list[Any]], Any]
    """a list that has these entries"""
    nameless: dict[str, Any]
    """entries that name no user, by what is wrong with them"""
    who_am_i: tuple[str, str]
    """what the path contains that says whom the platform takes us for, and the least that it can answer of user 1"""
    own_name: str = "demo"
    """the name that the platform has for user 1"""
    logs_in: bool
    """whether `own` credentials get their token by a login"""

    @property
    def adapter(self) -> str:
        return adapter_name(self.settings)

    @property
    def statuses(self) -> frozenset[Status]:
        return Platform(self).adapter.STATUSES


SYMPHONY: Final = Dialect(
    settings=symphony.Settings,
    connect=symphony.SymphonyAdapter,
    simulated=Pod,
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
    acting_path="/connection/",
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
    settings=selfcommunity.Settings,
    connect=selfcommunity.SelfCommunityAdapter,
    simulated=Community,
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
    acting_path="/connection/",
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

MINIMAL: Final = Dialect(
    settings=minimal.Settings,
    connect=minimal.MinimalAdapter,
    simulated=minimal.AddressBook,
    user=minimal.handle,
    own={"mode": "token", "token": "demo"},
    named=None,
    words={
        "friends": Status.CONNECTED,
        "they-asked": Status.PENDING_INCOMING,
        "you-asked": Status.PENDING_OUTGOING,
        None: Status.NONE,
    },
    says_who_exists=True,
    good=f'{{"person":"{minimal.handle(USER)}","state":"friends"}}',
    broken={
        "an unknown word": f'{{"person":"{minimal.handle(USER)}","state":"blocked"}}',
        "no word": f'{{"person":"{minimal.handle(USER)}"}}',
        "no user": '{"state":"friends"}',
        "another user": '{"person":"@somebody","state":"friends"}',
        "text for the time": f'{{"person":"{minimal.handle(USER)}","state":"friends","since":"x"}}',
        "a user who is none": '{"person":"","state":"friends"}',
        "a request without an id": f'{{"person":"{minimal.handle(USER)}","state":"they-asked"}}',
    },
    not_found='{"error":"no"}',
    acting_path="/changes/",
    preparing=frozenset({Action.REMOVE}),
    list_path="/contacts",
    incoming=lambda user: {"person": user, "state": "they-asked", "request": "r1"},
    incoming_at=lambda user, time: {"person": user, "state": "they-asked", "request": "r1", "since": time},
    counts=False,
    listed=lambda entries: {"contacts": entries, "next": None},
    nameless={
        "no user": {"state": "friends"},
        "null for the user": {"person": None, "state": "friends"},
        "a user who is none": {"person": "no handle", "state": "friends"},
        "null": None,
    },
    own_name=minimal.handle(1),
    who_am_i=("/me", f'{{"person":"{minimal.handle(1)}"}}'),
    logs_in=False,
)

BUDDYPRESS: Final = Dialect(
    settings=buddypress.Settings,
    connect=buddypress.BuddyPressAdapter,
    simulated=Site,
    own={"mode": "token", "token": "demo"},
    named=None,
    words={
        "is_friend": Status.CONNECTED,
        "pending": Status.PENDING_OUTGOING,
        "awaiting_response": Status.PENDING_INCOMING,
        "not_friends": Status.NONE,
    },
    is_wordless=True,
    says_who_exists=True,
    good=f'{{"initiator_id":1,"friend_id":{USER},"is_confirmed":true}}',
    broken={
        "nothing of whether it is confirmed": f'{{"initiator_id":1,"friend_id":{USER}}}',
        "a number for whether it is confirmed": f'{{"initiator_id":1,"friend_id":{USER},"is_confirmed":1}}',
        "no initiator": f'{{"friend_id":{USER},"is_confirmed":true}}',
        "a friendship of other users": '{"initiator_id":1,"friend_id":2,"is_confirmed":true}',
        "a friendship of one user": f'{{"initiator_id":{USER},"friend_id":{USER},"is_confirmed":true}}',
        "text for the user": f'{{"initiator_id":1,"friend_id":"{USER}","is_confirmed":true}}',
        "text for the time": f'{{"initiator_id":1,"friend_id":{USER},"is_confirmed":true,"date_created_gmt":"x"}}',
        "a list": f'[{{"initiator_id":1,"friend_id":{USER},"is_confirmed":true}}]',
        "text from PHP alone": "<br />\n<b>Notice</b>:  x<br />\n",
        "a fatal error": '<br />\n<b>Fatal error</b>:  x<br />\n{"initiator_id":1',
    },
    not_found='{"code":"bp_rest_friends_get_item_failed","message":"no","data":{"status":404}}',
    more_not_found={
        '{"code":"bp_rest_invalid_id","message":"no","data":{"status":404}}': Status.NONE,
        '{"code":"rest_no_route","message":"no","data":{"status":404}}': InvalidAnswer,
        '{"code":"bp_rest_new","message":"no","data":{"status":404}}': InvalidAnswer,
    },
    many_path="/members",
    many=lambda words: [
        {"id": user, "friendship_status": word == "is_friend", "friendship_status_slug": word}
        for user, word in words.items()
    ],
    acting_path="/friends",
    preparing=frozenset({Action.REQUEST}),
    unguarded=frozenset({(Status.CONNECTED, Action.REJECT), (Status.PENDING_INCOMING, Action.REMOVE)}),
    list_path="/friends",
    incoming=lambda user: {"initiator_id": user, "friend_id": 1, "is_confirmed": False},
    incoming_at=lambda user, time: {
        "initiator_id": user,
        "friend_id": 1,
        "is_confirmed": False,
        "date_created_gmt": time,
    },
    counts=False,
    listed=lambda entries: entries,
    nameless={
        "no user": {"friend_id": 1, "is_confirmed": False},
        "null for the user": {"initiator_id": None, "friend_id": 1, "is_confirmed": False},
        "other users": {"initiator_id": 5, "friend_id": 6, "is_confirmed": False},
        "no user has this id": {"initiator_id": 0, "friend_id": 1, "is_confirmed": False},
        "null": None,
    },
    who_am_i=("/members/me", '{"id":1}'),
    logs_in=False,
)

DIALECTS: Final = (SYMPHONY, SELFCOMMUNITY, BUDDYPRESS, MINIMAL)


def where(has: Callable[[Dialect], bool]) -> pytest.MarkDecorator:
    """Asks only the platforms that have something."""
    having = [pytest.param(dialect, id=dialect.adapter) for dialect in DIALECTS if has(dialect)]
    return pytest.mark.parametrize("dialect", having, indirect=True)


BATCHING: Final = where(lambda dialect: dialect.many is not None)
NAMING: Final = where(lambda dialect: dialect.named is not None)
LOGGING_IN: Final = where(lambda dialect: dialect.logs_in)

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
        self.simulator = Simulator(dialect.simulated())
        self.adapter = self.connect(InProcess(self.simulator))
        self.viewer = Viewer.own("acme")
        self.user = dialect.user(USER)
        self.stranger = dialect.user(STRANGER)
        self.set(self.user, Status.NONE)

    def id(self, number: int) -> UserKey:
        """The key of the user who has this number in the seeds."""
        return self.dialect.user(number)

    def ids(self, *numbers: int) -> tuple[UserKey, ...]:
        """The keys of the users who have these numbers in the seeds."""
        return tuple(map(self.dialect.user, numbers))

    def settings(self, base_url: str = "http://acme.example", **credentials: Any) -> PlatformSettings:
        table = {
            "adapter": self.dialect.adapter,
            "base_url": base_url,
            "credentials": credentials or self.dialect.own,
        }
        return platform_settings("acme", table, [self.dialect.settings])

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
        return self.dialect.connect(self.settings(base_url, **own), Upstream("acme", innermost, timeout=timeout))

    def many(self, words: dict[UserKey, str | None]) -> Any:
        """A batch read's answer. Only for platforms that have one."""
        assert self.dialect.many is not None
        return self.dialect.many(words)

    def word(self, status: Status) -> str | None:
        """What the platform calls this status."""
        return next(word for word, each in self.dialect.words.items() if each is status)

    def set(self, user_id: UserKey, status: Status) -> None:
        self.simulator.platform.set_connection(self.dialect.user(1), user_id, self.word(status))

    async def ready(
        self, action: Action, adapter: Adapter | None = None, *, user_id: UserKey = None, viewer: Viewer | None = None
    ) -> Callable[[], Awaitable[Connection]]:
        """An action on the user (or another), after the read before it. By default on who may be asked."""
        user_id = self.user if user_id is None else user_id
        before = await self.adapter.read_before(self.viewer, user_id)
        return lambda: (adapter or self.adapter).act(viewer or self.viewer, user_id, action, before)

    def misbehave_acting(self, **fault: Any) -> None:
        """Spoil the calls that act, and no others."""
        self.simulator.misbehave(Fault(path=self.dialect.acting_path, **fault))

    async def read(
        self, user_id: UserKey = None, adapter: Adapter | None = None, viewer: Viewer | None = None
    ) -> Connection:
        """The connection, or the PlatformError raised, whether it came for all or for this user."""
        user_id = self.user if user_id is None else user_id
        found = (await (adapter or self.adapter).read(viewer or self.viewer, (user_id,)))[user_id]
        if isinstance(found, PlatformError):
            raise found
        return found
