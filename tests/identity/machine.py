"""What may happen to a gateway and its platforms in any order, and what must be true of every answer meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from adapters.contract import Action, Status
from adapters.simulation.faults import Fault
from gateway.platforms.actions import GOALS
from tests.identity.world import (
    ADAPTERS,
    CALLERS,
    CALLERS_OWN,
    DEMO,
    NAMING,
    POLICIES,
    USERS,
    World,
    key_of,
    problems,
)

LOGINS: Final = {"symphony": "/login", "selfcommunity": "/oauth"}
FRESH: Final = 5.0
STALE: Final = 60.0
"""Seconds that an answer may be old, and that it may be if it says so."""
PAUSE: Final = 6.0
"""Seconds after which nobody remembers a refused login."""


class Ask(msgspec.Struct, frozen=True):
    """One lookup: who asks, of which platform, as whom, about whom; `stray`: with another user's token beside; `live`:
    with no patience for what was said before.
    """

    caller: str
    platform: str
    viewer: int
    target: int
    stray: bool = False
    live: bool = False


callers = st.sampled_from(("everything", *CALLERS))
asks = st.builds(
    Ask,
    callers,
    st.sampled_from(tuple(ADAPTERS)),
    st.sampled_from(USERS),
    st.sampled_from(USERS),
    st.booleans(),
    st.sampled_from((False, False, False, True)),
)
pairs = st.permutations(USERS).map(lambda users: (users[0], users[1]))
statuses = st.sampled_from(["none", "connected", "pending_incoming", "pending_outgoing"])


class Identities(RuleBasedStateMachine):
    """Every answer is one that the platform would give this viewer, and every refusal is one that is due."""

    world_type: ClassVar[type[World]] = World
    steps: ClassVar[Counter[str]] = Counter()
    """over all machines: calls that were answered and judged, and events between them"""
    origins: ClassVar[Counter[str]] = Counter()
    """over all machines: where answers came from"""

    def __init__(self) -> None:
        super().__init__()
        self.world = self.world_type()
        self.shaky: dict[str, float] = {}
        """platforms where logins were refused, and until when that may be remembered"""

        self.broken: set[str] = set()
        """platforms that were out of reach once: their breaker may be open, or let one call through"""

    def teardown(self) -> None:
        Identities.origins += self.world.origins
        self.world.close()

    # calls

    @rule(calls=st.lists(asks, min_size=12, max_size=40), expire=st.none() | st.sampled_from(tuple(ADAPTERS)))
    def look_up_at_once(self, calls: list[Ask], expire: str | None) -> None:
        """Any number of lookups side by side, with sessions that expire while they are on their way."""
        if expire is not None:
            self.world.simulators[expire].misbehave(Fault(delay=0.01, times=len(calls)))

        async def all_of_them() -> list[tuple[int, Any]]:
            asking = [asyncio.ensure_future(self._get(each)) for each in calls]
            if expire is not None:
                await asyncio.sleep(0.005)
                self._expire(expire)
            return await asyncio.gather(*asking)

        self.world.sent.clear()
        answers = self.world.run(all_of_them())
        if expire is not None:
            self.world.simulators[expire].misbehave()
        for each, (status, said) in zip(calls, answers, strict=True):
            self._judge(each, status, said, expired=expire)
        self._check_who_was_asked({(each.platform, self._viewer(each)) for each in calls})
        if expire is not None:
            self.world.tokens.get(expire, {}).clear()

    @rule(
        caller=callers,
        named=st.fixed_dictionaries({name: st.sampled_from(USERS) for name in NAMING}),
        bearer=st.fixed_dictionaries({name: st.sampled_from(USERS) for name in CALLERS_OWN}),
        users=st.lists(st.tuples(st.sampled_from(tuple(ADAPTERS)), st.sampled_from(USERS)), min_size=12, max_size=40),
    )
    def look_up_many(
        self, caller: str, named: Mapping[str, int], bearer: Mapping[str, int], users: list[tuple[str, int]]
    ) -> None:
        """One call over several platforms, as another viewer on each."""
        headers = self._headers_for_all(caller, named, bearer)
        body = {"users": [{"platform": name, "user_id": str(user)} for name, user in users]}
        self.world.sent.clear()
        status, said = self.world.run(self.world.ask("POST", "/v1/lookup", headers, body))
        if caller not in self.world.policies:
            self._expect_problem(status, said, "invalid-api-key")
            return
        assert status == 200, said
        viewers = {**named, **bearer, **self.world.own}
        for (platform, target), each in zip(users, said["results"], strict=True):
            one = Ask(caller, platform, viewers[platform], target)
            if "connection" in each:
                self._judge(one, 200, each["connection"])
            else:
                self._judge(one, each["error"]["status"], each["error"])
        self._check_who_was_asked({(name, viewers[name]) for name, _ in users})

    @rule(lists=st.lists(asks, min_size=4, max_size=12))
    def list_everything(self, lists: list[Ask]) -> None:
        for one in lists:
            self._list(one)

    @rule(acts=st.lists(st.tuples(asks, st.sampled_from(tuple(Action))), min_size=6, max_size=20))
    def act(self, acts: list[tuple[Ask, Action]]) -> None:
        for one, action in acts:
            self._act(one, action)

    # events

    @rule(platform=st.sampled_from(tuple(ADAPTERS)), user=st.sampled_from(USERS))
    def log_out_and_in(self, platform: str, user: int) -> None:
        """All sessions expire, and where users bring their tokens, some have new ones."""
        self._expire(platform)
        if platform in self.world.tokens:
            self.world.tokens[platform].clear()
            for each in {user, *USERS[:3]}:
                self.world.sign_in(platform, each)
        self._count("expired")

    @rule(
        platform=st.sampled_from(tuple(ADAPTERS)), pairs=st.lists(st.tuples(pairs, statuses), min_size=1, max_size=5)
    )
    def connect(self, platform: str, pairs: list[tuple[tuple[int, int], str]]) -> None:
        """On the platform itself, as if by its own users."""
        for (one, other), status in pairs:
            self.world.connect(platform, one, other, status)
        self._count("connected")

    @rule(
        policies=st.integers(0, len(POLICIES) - 1),
        own=st.tuples(st.sampled_from(USERS), st.sampled_from(USERS), st.just(DEMO) | st.sampled_from(USERS)),
        how=st.sampled_from(("not", "not", "reload", "restart")),
    )
    def configure(self, policies: int, own: tuple[int, int, int], how: str) -> None:
        """Other policies and other credentials, by a reload, or by that and a restart; not as often as calls."""
        if how == "not":
            return
        self.world.reload(policies, dict(zip(("own-pod", "own-club", "oauth-club"), own, strict=True)))
        self._count("reloaded")
        if how == "restart":
            self._let_logins_in()
            self.world.restart()
            self.shaky.clear()
            self._count("restarted")

    @rule(platform=st.sampled_from(("named-pod", "own-pod", "oauth-club")), status=st.sampled_from((401, 403, 500)))
    def refuse_logins(self, platform: str, status: int) -> None:
        """The next login there fails, and what is live is gone."""
        fault = Fault(path=LOGINS[ADAPTERS[platform]], status=status, times=1)
        self._expire(platform)
        self.world.simulators[platform].misbehave(fault)
        self.shaky[platform] = float("inf")
        self._count("refused logins")

    @rule(platform=st.sampled_from(tuple(ADAPTERS)), since=st.sampled_from((0.0, PAUSE)))
    def break_down(self, platform: str, since: float) -> None:
        """Until logins are let in again, it answers nobody; nor has it for a while, so that nothing kept is fresh."""
        self.world.simulators[platform].misbehave(Fault(status=500))
        self.shaky[platform] = float("inf")
        self.broken.add(platform)
        self.world.run(asyncio.sleep(since))
        self._count("broke down")

    @rule(seconds=st.sampled_from((0.1, 1.0, PAUSE)))
    def time_passes(self, seconds: float) -> None:
        self._let_logins_in()
        self.world.run(asyncio.sleep(seconds))
        if seconds == PAUSE:
            self.shaky.clear()
        self._count("waited")

    # how it is judged

    def _list(self, one: Ask) -> None:
        """A list is all that its viewer has, and nothing that anybody else has."""
        self.world.sent.clear()
        path = f"/v1/connections?platform={one.platform}&status=all"
        status, said = self.world.run(self.world.ask("GET", path, self._headers(one)))
        viewer = self._viewer(one)
        self._check_who_was_asked({(one.platform, viewer)})
        if status != 200 or said["errors"]:
            refusal = said["errors"][0] if status == 200 else said
            self._judge(one, refusal["status"], refusal)
            return
        self._check_allowed(one, "read")
        found = {each["user_id"]: each["status"] for each in said["connections"]}
        true = {str(target): self.world.truth(one.platform, viewer, target) for target in (DEMO, *USERS)}
        assert _without(found, "rejected") == _without(true, "rejected", "none")
        self._count("listed")

    def _act(self, one: Ask, action: Action) -> None:
        """An action changes what is between its viewer and its target, and nothing else anywhere."""
        before = self.world.all_pairs()
        self.world.sent.clear()
        path = f"/v1/connections/{one.platform}/{one.target}/{action}"
        status, said = self.world.run(self.world.ask("POST", path, self._headers(one)))
        after = self.world.all_pairs()
        self.world.note(before)
        viewer = self._viewer(one)
        now = after[one.platform, viewer, one.target]
        changed = {pair for pair in before if before[pair] != after[pair]}
        assert changed <= {(one.platform, viewer, one.target), (one.platform, one.target, viewer)}
        self._check_who_was_asked({(one.platform, viewer)})
        if status == 200:
            self._check_allowed(one, "act")
            assert Status(said["status"]) in GOALS[action]
            assert said["status"] == now or {said["status"], now} == {"none", "rejected"}
            self.world.forget(one.platform, viewer, one.target)
            self._count("acted")
            return
        assert not changed
        if said["type"] == "/problems/action-not-possible":
            self._check_allowed(one, "act")
            assert said["connection"]["status"] == now
            self._count("not possible")
        elif said["type"] == "/problems/action-not-offered":
            self._count("not possible")
        else:
            self._judge(one, status, said, right="act")

    def _judge(self, one: Ask, status: int, said: Any, *, right: str = "read", expired: str | None = None) -> None:
        """This answer is due to this caller, and is this viewer's."""
        refusal = self._refusal(one, right)
        if refusal is not None:
            self._expect_problem(status, said, refusal)
        elif status == 200:
            viewer = self._viewer(one)
            assert (said["platform"], said["user_id"]) == (one.platform, str(one.target))
            assert said["status"] in self.world.truths(one.platform, viewer, one.target, self._age(one, said)), one
            self._count("stale" if said["stale"] else "answered")
        else:
            (slug,) = set(problems(said))
            assert slug in self._excuses(one, expired), (one, said)
            self._count("failed")

    def _age(self, one: Ask, said: Any) -> float:
        """Seconds that this answer may be old."""
        if one.live:
            assert not said["stale"], one
            return 0.0
        if said["stale"]:
            assert one.platform in self.shaky, one
            return STALE
        return FRESH

    def _refusal(self, one: Ask, right: str) -> str | None:
        """The problem that is due before any platform is asked, in the order in which things are checked."""
        policy = self.world.policies.get(one.caller)
        if policy is None:
            return "invalid-api-key"
        if one.platform not in policy.platforms or right not in policy.rights:
            return "not-allowed"
        if one.platform in NAMING and one.viewer not in policy.viewers.get(one.platform, ()):
            return "not-allowed"
        if one.platform in self.world.tokens and one.viewer not in self.world.tokens[one.platform]:
            return "missing-credential"
        return None

    def _excuses(self, one: Ask, expired: str | None) -> set[str]:
        """What may go wrong on a platform that has logged somebody out."""
        excuses = set()
        if one.platform == expired and one.platform in self.world.tokens:
            excuses.add("credential-refused")
        if one.platform in self.shaky:
            excuses |= {"platform-credential-refused", "platform-forbidden", "platform-error", "outcome-unknown"}
        if one.platform in self.broken:
            excuses.add("platform-unavailable")
        if self.world.own.get(one.platform) == one.target or self._viewer(one) == one.target:
            excuses |= {"user-not-found", "action-not-possible", "platform-error"}
        return excuses

    def _check_allowed(self, one: Ask, right: str) -> None:
        assert self._refusal(one, right) is None, one

    def _expect_problem(self, status: int, said: Any, slug: str) -> None:
        assert list(problems(said)) == [slug], (slug, said)
        assert status == {"invalid-api-key": 401, "missing-credential": 401}.get(slug, 403)
        self._count("refused")

    def _check_who_was_asked(self, due: set[tuple[str, int]]) -> None:
        """No platform was asked as anybody but those as whom somebody asked."""
        asked = {(sent.platform, sent.viewer) for sent in self.world.sent if sent.viewer is not None}
        assert asked <= due, (asked, due)

    def _viewer(self, one: Ask) -> int:
        return self.world.own.get(one.platform, one.viewer)

    async def _get(self, one: Ask) -> tuple[int, Any]:
        return await self.world.ask("GET", f"/v1/connections/{one.platform}/{one.target}", self._headers(one))

    def _headers(self, one: Ask) -> dict[str, str]:
        headers = {"X-API-Key": key_of(one.caller)}
        if one.live:
            headers["Cache-Control"] = "no-cache"
        if one.platform in NAMING:
            headers["X-On-Behalf-Of"] = str(one.viewer)
        token = self.world.tokens.get(one.platform, {}).get(one.viewer)
        if token is not None:
            headers["X-Platform-Token"] = f"{one.platform}={token}"
        if one.stray:
            other = USERS[(USERS.index(one.viewer) + 1) % len(USERS)]
            stray = {name: tokens.get(other, "stray") for name, tokens in self.world.tokens.items()}
            if one.platform != "caller-pod" or token is not None:
                headers["sessionToken"] = stray["caller-pod"]
            if one.platform not in {"caller-club", "caller-site"} or token is not None:
                headers["Authorization"] = f"Bearer {stray['caller-club']}"
        return headers

    def _headers_for_all(self, caller: str, named: Mapping[str, int], bearer: Mapping[str, int]) -> dict[str, str]:
        headers = {"X-API-Key": key_of(caller)}
        headers["X-On-Behalf-Of"] = ", ".join(f"{name}={user}" for name, user in named.items())
        tokens = [
            f"{name}={self.world.tokens[name][user]}"
            for name, user in bearer.items()
            if user in self.world.tokens[name]
        ]
        if tokens:
            headers["X-Platform-Token"] = ", ".join(tokens)
        return headers

    def _let_logins_in(self) -> None:
        for platform in self.shaky:
            self.world.simulators[platform].misbehave()

    def _expire(self, platform: str) -> None:
        self.world.simulators[platform].platform.tokens.expire()

    def _count(self, what: str) -> None:
        Identities.steps[what] += 1


def _without(statuses: Mapping[str, str], *words: str) -> dict[str, str]:
    return {user: word for user, word in statuses.items() if word not in words}
