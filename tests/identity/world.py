"""A gateway in front of seven platforms, and what is true of everybody there, so that each answer can be judged.

Nothing here asks the gateway what it thinks. Whose a token is, the simulators say; what a caller may, `POLICIES` say.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import jwt
import msgspec

from adapters.selfcommunity.simulator import SECRET
from adapters.settings import PlatformSettings
from adapters.simulation import Simulator, private_key, simulator
from gateway.app import create_app
from gateway.auth.callers import key_digest
from gateway.config.loader import load
from gateway.config.settings import Settings
from gateway.runtime.reload import Reloader
from gateway.telemetry.log import Log
from tests.clock import VirtualClock
from tests.wire import Bounded, InProcess

KEY: Final = private_key()
DEMO: Final = 1
USERS: Final = tuple(700_000_000_000 + number * 1_111_111 for number in range(1, 6))
"""Every one of them is a viewer and a target."""
ADAPTERS: Final = {
    "named-pod": "symphony",
    "own-pod": "symphony",
    "caller-pod": "symphony",
    "named-club": "selfcommunity",
    "own-club": "selfcommunity",
    "oauth-club": "selfcommunity",
    "caller-club": "selfcommunity",
    "own-site": "buddypress",
    "caller-site": "buddypress",
}
CALLERS_OWN: Final = ("caller-pod", "caller-club", "caller-site")
"""The platforms to which callers bring tokens."""
WORDS: Final[Mapping[str, Mapping[str | None, str]]] = {
    "symphony": {
        None: "none",
        "PENDING_INCOMING": "pending_incoming",
        "PENDING_OUTGOING": "pending_outgoing",
        "ACCEPTED": "connected",
        "REJECTED": "rejected",
    },
    "selfcommunity": {
        None: "none",
        "received_connection_request": "pending_incoming",
        "sent_connection_request": "pending_outgoing",
        "connected": "connected",
    },
    "buddypress": {
        "not_friends": "none",
        "awaiting_response": "pending_incoming",
        "pending": "pending_outgoing",
        "is_friend": "connected",
    },
}
CALLERS: Final = ("everything", "reader", "narrow", "mute")


class Policy(msgspec.Struct, frozen=True):
    """What one caller may, in plain words: it is judged here anew, not by the gateway's own code."""

    platforms: frozenset[str]
    rights: frozenset[str]
    viewers: Mapping[str, frozenset[int]]

    def table(self, name: str) -> dict[str, Any]:
        grants = [f"{platform}={user}" for platform, users in self.viewers.items() for user in sorted(users)]
        return {
            "name": name,
            "key_sha256": key_digest(key_of(name)),
            "platforms": sorted(self.platforms),
            "may": sorted(self.rights),
            "on_behalf_of": grants,
        }


ALL: Final = frozenset(ADAPTERS)
BOTH: Final = frozenset({"read", "act"})
NAMING: Final = ("named-pod", "named-club")
POLICIES: Final[tuple[Mapping[str, Policy], ...]] = (
    {
        "everything": Policy(ALL, BOTH, dict.fromkeys(NAMING, frozenset(USERS))),
        "reader": Policy(ALL, frozenset({"read"}), dict.fromkeys(NAMING, frozenset(USERS[:3]))),
        "narrow": Policy(frozenset({"named-pod", "caller-club"}), BOTH, {"named-pod": frozenset(USERS[3:])}),
        "mute": Policy(ALL, frozenset({"act"}), {}),
    },
    {
        "everything": Policy(ALL, BOTH, {"named-pod": frozenset(USERS[:2]), "named-club": frozenset(USERS)}),
        "reader": Policy(ALL, BOTH, dict.fromkeys(NAMING, frozenset(USERS[2:]))),
        "narrow": Policy(
            frozenset({"named-club", "own-pod"}), frozenset({"read"}), {"named-club": frozenset(USERS[:1])}
        ),
    },
    {"mute": Policy(ALL, BOTH, dict.fromkeys(NAMING, frozenset(USERS)))},
)
"""Each is the whole of `[[callers]]`: who is not in it has no key."""


def key_of(caller: str) -> str:
    return f"api-key-{caller}-5d1b9a7c"


class Sent(msgspec.Struct, frozen=True):
    """A request that left for a platform: whom its token was, as far as it had one."""

    platform: str
    path: str
    viewer: int | None


class Watched(httpx.AsyncBaseTransport):
    """The wire to one platform. It notes as whom each request goes out, and that nothing is in it which is not its."""

    def __init__(self, world: World, platform: str) -> None:
        self._world = world
        self._platform = platform

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        whole = f"{request.url} {request.headers.multi_items()} {request.content!r}"
        assert "api-key-" not in whole
        assert "x-on-behalf-of" not in request.headers
        kind = ADAPTERS[self._platform]
        assert (
            ("authorization" not in request.headers)
            if kind == "symphony"
            else ("sessiontoken" not in request.headers)
        )
        token = request.headers.get("sessiontoken") or request.headers.get("authorization", "").removeprefix(
            "Bearer "
        )
        if not request.url.path.startswith(("/login", "/oauth")):
            viewer = self._world.user_of(self._platform, token)
            self._world.sent.append(Sent(self._platform, request.url.path, viewer))
        for other, tokens in self._world.tokens.items():
            assert other == self._platform or not any(each in whole for each in tokens.values())
        raw = [(name.lower(), value) for name, value in request.headers.raw]
        simulated, url = self._world.simulators[self._platform], request.url
        status, headers, body = await _asked(
            simulated, request.method, url.path, url.query.decode(), raw, await request.aread()
        )
        return httpx.Response(status, headers=headers, content=body)


class World:
    """Nine simulated platforms, one gateway, the tokens that users have, and the clock."""

    def __init__(self) -> None:
        self.loop = VirtualClock()
        self._signed_in = 0
        self.folder = Path(tempfile.mkdtemp(prefix="identity-"))
        self.simulators: dict[str, Simulator] = {name: simulator(kind, empty=True) for name, kind in ADAPTERS.items()}
        self.sent: list[Sent] = []
        self.origins: Counter[str] = Counter()
        """where answers came from, as their Cache-Status says"""
        self._past: dict[tuple[str, int, int], list[tuple[float, str]]] = {}
        """what was between two users before, each until when"""
        self.tokens: dict[str, dict[int, str]] = {name: {} for name in CALLERS_OWN}
        self.policies = POLICIES[0]
        self.own: dict[str, int] = {"own-pod": USERS[0], "own-club": USERS[1], "oauth-club": DEMO, "own-site": DEMO}
        self.lines: list[str] = []
        for platform, each in self.simulators.items():
            for user in (DEMO, *USERS):
                each.platform.set_connection(user, user, None)
                if platform in self.tokens:
                    self.sign_in(platform, user)
        for file, text in {"key.pem": KEY, "secret": SECRET, "token": "demo"}.items():
            self._write(file, text)
        self._write("refresh", self.run(self._first_refresh_token()))
        self._configure()
        self.loop.run_until_complete(self._start())

    # what is true

    def truth(self, platform: str, viewer: int, target: int) -> str:
        word = self.simulators[platform].platform.connection(viewer, target)
        return WORDS[ADAPTERS[platform]][word]

    def truths(self, platform: str, viewer: int, target: int, lately: float) -> set[str]:
        """All that was true at some moment of the last so many seconds."""
        since = self.loop.time() - lately
        past = self._past.get((platform, viewer, target), ())
        return {self.truth(platform, viewer, target)} | {status for until, status in past if until > since}

    def note(self, before: Mapping[tuple[str, int, int], str]) -> None:
        """What was `before` may have changed now."""
        for pair, status in before.items():
            if self.truth(*pair) != status:
                self._past.setdefault(pair, []).append((self.loop.time(), status))

    def forget(self, platform: str, viewer: int, target: int) -> None:
        """From now on nothing is true for this viewer that was before."""
        self._past.pop((platform, viewer, target), None)

    def all_pairs(self) -> dict[tuple[str, int, int], str]:
        return {
            (platform, viewer, target): self.truth(platform, viewer, target)
            for platform in ADAPTERS
            for viewer in (DEMO, *USERS)
            for target in USERS
        }

    def user_of(self, platform: str, token: str) -> int | None:
        """Whose a token is, by the platform's own books; also if it has expired."""
        with contextlib.suppress(jwt.InvalidTokenError):
            claimed: int = jwt.decode(token, SECRET, algorithms=["HS256"])["user_id"]
            return claimed
        return self._issued.get((platform, token), self.simulators[platform].platform.tokens.user(token))

    @property
    def _issued(self) -> dict[tuple[str, str], int]:
        return {(name, token): user for name, tokens in self.tokens.items() for user, token in tokens.items()}

    # what happens

    def sign_in(self, platform: str, user: int) -> None:
        self._signed_in += 1
        token = f"token-{platform}-{user}-{self._signed_in}"
        self.tokens[platform][user] = token
        self.simulators[platform].platform.tokens.accept(token, user)

    def connect(self, platform: str, viewer: int, target: int, status: str) -> None:
        words = {each: word for word, each in WORDS[ADAPTERS[platform]].items()}
        pairs = ((platform, viewer, target), (platform, target, viewer))
        before = {pair: self.truth(*pair) for pair in pairs}
        self.simulators[platform].platform.set_connection(viewer, target, words.get(status))
        self.note(before)

    def reload(self, policies: int, own: Mapping[str, int]) -> None:
        self.policies = POLICIES[policies]
        self.own |= own
        self._configure()
        before = len(self.lines)
        self.loop.call_soon(self._reloading.start)
        self.run(asyncio.sleep(0.01))
        assert any('"reloaded"' in line for line in self.lines[before:]), self.lines[before:]

    def restart(self) -> None:
        self.loop.run_until_complete(self._stop())
        self.loop.run_until_complete(self._start())

    def close(self) -> None:
        self.loop.run_until_complete(self._stop())
        self.loop.close()
        shutil.rmtree(self.folder)

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: Any = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and document."""
        content = b"" if body is None else msgspec.json.encode(body)
        path, _, query = path.partition("?")
        with_host = {"host": "localhost", **headers}.items()
        raw = [(name.lower().encode(), value.encode()) for name, value in with_host]
        status, answered, document = await _asked(self._app, method, path, query, raw, content)
        self.origins[dict(answered).get(b"cache-status", b"").decode().partition("; ")[2].partition(";")[0]] += 1
        return status, msgspec.json.decode(document)

    async def _first_refresh_token(self) -> str:
        form = {
            "grant_type": "password",
            "client_id": "demo",
            "client_secret": SECRET,
            "username": "demo",
            "password": "demo",
        }
        wire = InProcess(self.simulators["oauth-club"])
        answer = await wire.handle_async_request(httpx.Request("POST", "http://x.example/oauth/token/", data=form))
        await answer.aread()
        return str(answer.json()["refresh_token"])

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o600)

    def _configure(self) -> None:
        credentials = {
            "named-pod": 'mode = "obo", app_id = "app", private_key_file = "key.pem"',
            "own-pod": f'mode = "bot", username = "user-{self.own["own-pod"]}", private_key_file = "key.pem"',
            "caller-pod": 'mode = "caller"',
            "named-club": 'mode = "jwt", secret_file = "secret"',
            "own-club": f'mode = "jwt", secret_file = "secret", user_id = {self.own["own-club"]}',
            "oauth-club": 'mode = "oauth2", client_id = "demo", client_secret_file = "secret", refresh_token_file = "refresh"',
            "caller-club": 'mode = "caller"',
            "own-site": 'mode = "token", token_file = "token"',
            "caller-site": 'mode = "caller"',
        }
        if self.own["oauth-club"] != DEMO:
            credentials["oauth-club"] = f'mode = "jwt", secret_file = "secret", user_id = {self.own["oauth-club"]}'
        tables = [
            f'[platforms.{name}]\nadapter = "{kind}"\nbase_url = "http://{name}.example"\n'
            f"credentials = {{ {credentials[name]} }}\n"
            for name, kind in ADAPTERS.items()
        ]
        callers = [
            "[[callers]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in policy.table(name).items())
            for name, policy in self.policies.items()
        ]
        self._write("gateway.toml", "\n".join([*tables, *callers]))

    def _load(self) -> Settings:
        return load(self.folder / "gateway.toml", {})

    async def _start(self) -> None:
        log = Log(self.lines.append)
        self._app = create_app(self._load(), log=log, wire=self._wire)
        self._reloading = Reloader(self._load, self._app.state.snapshots, log)
        self._lifespan = self._app.router.lifespan_context(self._app)
        await self._lifespan.__aenter__()

    async def _stop(self) -> None:
        await self._lifespan.__aexit__(None, None, None)

    def _wire(self, settings: PlatformSettings) -> httpx.AsyncBaseTransport:
        return Bounded(Watched(self, httpx.URL(settings.base_url).host.removesuffix(".example")))


Headers = list[tuple[bytes, bytes]]


async def _asked(
    app: Any, method: str, path: str, query: str, headers: Headers, content: bytes
) -> tuple[int, Headers, bytes]:
    """Status, headers and body. It is an ASGI call without a client: there are a great many."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "headers": headers,
    }
    asked: list[Any] = [{"type": "http.request", "body": content, "more_body": False}]
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        if asked:
            return dict(asked.pop())
        await asyncio.Event().wait()
        raise AssertionError("nobody leaves")

    async def send(message: Any) -> None:
        said.append(message)

    await app(scope, receive, send)
    return said[0]["status"], said[0]["headers"], b"".join(message.get("body", b"") for message in said[1:])


def _toml(value: str | list[str]) -> str:
    return msgspec.json.encode(value).decode()


def problems(document: Any) -> Iterator[str]:
    """The slugs in an answer."""
    if isinstance(document, dict):
        if str(document.get("type", "")).startswith("/problems/"):
            yield document["type"].removeprefix("/problems/")
        for each in document.values():
            yield from problems(each)
    elif isinstance(document, list):
        for each in document:
            yield from problems(each)
