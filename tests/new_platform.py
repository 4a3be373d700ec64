"""`make new-platform NAME=guestbook`: the skeleton of an adapter, its simulator and its dialect.

It passes the type checker, and fails the contract suite with sentences that say what to write.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
FILES: Final[dict[str, str]] = {
    "__init__.py": '''"""NAME. Read: settings, wire, tables, credentials, decoding, adapter; then the simulator."""

from adapters.NAME.adapter import CLASSAdapter
from adapters.NAME.settings import Settings

__all__ = ["CLASSAdapter", "Settings"]
''',
    "settings.py": '''"""What the configuration says about a platform of the kind NAME."""

from __future__ import annotations

from typing import ClassVar

from adapters import secret
from adapters.settings import Caller, Credentials, PlatformSettings, ThrottleScope


class Token(Credentials, frozen=True, kw_only=True, tag="token"):
    """The gateway holds one user's token."""

    token: secret.Token
    token_file: str | None = None


class Settings(PlatformSettings, frozen=True, kw_only=True, tag_field="adapter", tag="NAME"):
    """`base_url` is the platform's."""

    THROTTLE_SCOPE: ClassVar = ThrottleScope.PLATFORM

    credentials: Caller | Token
''',
    "wire.py": '''"""What goes over the wire: one struct for each answer, with the bounds that the platform promises.

If user ids are not 64-bit numbers, declare their `UserIds` here.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class NativeStatus(StrEnum):
    """The platform's own words for how two users stand."""

    CONNECTED = "connected"
    PENDING_INCOMING = "pending_incoming"
    PENDING_OUTGOING = "pending_outgoing"


class Error(msgspec.Struct, frozen=True):
    """The platform's own error body: a field that it always has tells it from a proxy's."""

    error: str


ERROR = msgspec.json.Decoder(Error)
''',
    "tables.py": '''"""The platform's words in ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.NAME.wire import NativeStatus
from adapters.contract import Action, Status

STATUS: Final[Mapping[NativeStatus | None, Status]] = {
    NativeStatus.CONNECTED: Status.CONNECTED,
    NativeStatus.PENDING_INCOMING: Status.PENDING_INCOMING,
    NativeStatus.PENDING_OUTGOING: Status.PENDING_OUTGOING,
    None: Status.NONE,
}

ACTIONS: Final[Mapping[Status, tuple[Action, ...]]] = {
    Status.NONE: (Action.REQUEST,),
    Status.PENDING_INCOMING: (Action.ACCEPT, Action.REJECT),
    Status.PENDING_OUTGOING: (Action.CANCEL,),
    Status.CONNECTED: (Action.REMOVE,),
    Status.REJECTED: (),
}
''',
    "credentials.py": '''"""How the platform is shown who we are."""

from __future__ import annotations

import httpx

from adapters.secret import Secret

TOKEN_HEADER = "Authorization"
TOKEN_SCHEME = "Bearer"


def authorize(request: httpx.Request, token: Secret) -> None:
    request.headers[TOKEN_HEADER] = f"{TOKEN_SCHEME} {token.reveal()}"
''',
    "decoding.py": '''"""What the platform's answers say, in the common schema."""

from __future__ import annotations

import httpx

from adapters.NAME import wire
from adapters.contract import InvalidAnswer
from adapters.upstream import Upstream


class Decoder:
    """Reads the bodies of one platform's answers; what breaks the contract is InvalidAnswer."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def is_own_error(self, response: httpx.Response) -> bool:
        error = self._upstream.decode_part(response.content, wire.ERROR)
        return not isinstance(error, InvalidAnswer)
''',
    "adapter.py": '''"""A platform of the kind NAME."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar

from adapters.NAME import tables
from adapters.NAME.decoding import Decoder
from adapters.NAME.credentials import TOKEN_HEADER, TOKEN_SCHEME, authorize
from adapters.NAME.settings import Settings, Token
from adapters.contract import (
    Action,
    Before,
    Connection,
    CredentialRefused,
    Identity,
    OwnCredentialRefused,
    Page,
    PlatformError,
    Position,
    Status,
    UserNotFound,
    Viewer,
)
from adapters.error_responses import ErrorResponses
from adapters.sessions import GivenTokens
from adapters.settings import Caller
from adapters.upstream import Base, Upstream
from adapters.user_ids import INT64, UserIds


class CLASSAdapter:
    """Reads, lists and changes connections."""

    USER_IDS: ClassVar[UserIds] = INT64
    STATUSES: ClassVar[frozenset[Status]] = frozenset(tables.STATUS.values())
    ACTIONS: ClassVar[Mapping[Status, tuple[Action, ...]]] = tables.ACTIONS
    TOKEN_HEADER: ClassVar[str] = TOKEN_HEADER
    TOKEN_SCHEMES: ClassVar[tuple[str, ...]] = (TOKEN_SCHEME,)
    batch_size = 1

    def __init__(self, settings: Settings, upstream: Upstream) -> None:
        self.platform = upstream.platform
        self.mode = settings.mode
        self.viewer_source = settings.credentials.viewer_source
        self._upstream = upstream
        self._decoder = Decoder(upstream)
        self._errors = ErrorResponses(upstream, self._decoder.is_own_error, "a 403: say why it may be")
        self._api = Base(settings.base_url)
        match settings.credentials:
            case Caller():
                self._calls = GivenTokens(upstream, authorize, Viewer.brought_token, CredentialRefused)
            case Token(token=token):
                self._calls = GivenTokens(upstream, authorize, lambda _viewer: token, OwnCredentialRefused)

    async def read(self, viewer: Viewer, user_ids: Collection[int]) -> Mapping[int, Connection | PlatformError]:
        (user_id,) = user_ids
        try:
            return {user_id: (await self.read_before(viewer, user_id)).connection}
        except UserNotFound as unknown:
            return {user_id: unknown}

    async def read_before(self, viewer: Viewer, user_id: int) -> Before:
        raise NotImplementedError(
            "read_before: send `self._api.get(path, (user_id,))` through `self._calls.call`. A 200 is decoded by a"
            " struct of wire.py, a 404 counts after `self._errors.check_own`, and `self._errors.failure` is the rest."
            " A value that only your code can check, such as a time, is `self._upstream.invalid` if it is wrong"
        )

    async def list(self, viewer: Viewer, statuses: Collection[Status], position: Position | None, limit: int) -> Page:
        raise NotImplementedError(
            "list: raise InvalidPosition for a position that is none of yours, before anything is sent; read a page,"
            " and return an Entry with its own Position for each user whose status is in `statuses`"
        )

    async def act(self, viewer: Viewer, user_id: int, action: Action, before: Before) -> Connection:
        raise NotImplementedError(
            "act: send `self._api.acting(method, path, user_id)` once, as the last call, and return what the answer"
            " says; `self._errors.failed_action` is what any other status than 200 means. Call the last parameter"
            " `_before` if you do not need it"
        )

    async def identify(self) -> Identity | None:
        raise NotImplementedError(
            "identify: ask for the token's own user. In mode `caller` return None after"
            " `self._upstream.expect_refusal(request, wire.ERROR)`"
        )

    async def aclose(self) -> None:
        await self._calls.aclose()
''',
    "simulator/__init__.py": '''"""A simulated platform of the kind NAME: `state` is who is connected, `api` the calls."""

from adapters.NAME.simulator.api import Platform
from adapters.simulation.demo import Demo

__all__ = ["DEMO", "Platform"]

DEMO = Demo("NAME", lambda: {"mode": "token", "token": "demo"})
''',
    "simulator/state.py": '''"""Who is connected with whom. Kept in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.NAME.wire import NativeStatus
from adapters.simulation.relations import Relations
from adapters.simulation.tokens import DEMO

MIRROR: Final[Mapping[NativeStatus, NativeStatus]] = {
    NativeStatus.CONNECTED: NativeStatus.CONNECTED,
    NativeStatus.PENDING_INCOMING: NativeStatus.PENDING_OUTGOING,
    NativeStatus.PENDING_OUTGOING: NativeStatus.PENDING_INCOMING,
}
SEEDS: Final[Mapping[int, NativeStatus]] = {
    101: NativeStatus.CONNECTED,
    102: NativeStatus.PENDING_INCOMING,
    103: NativeStatus.PENDING_OUTGOING,
    **dict.fromkeys(range(1000, 2000), NativeStatus.CONNECTED),
}


class State:
    """Write the changes that the calls make here: `request`, `accept` and so on."""

    def __init__(self, *, empty: bool) -> None:
        self.users: Relations[NativeStatus] = Relations()
        self.users.know(DEMO, username="demo")
        if not empty:
            self.users.know(104, 105)
            for user, status in SEEDS.items():
                self.set(DEMO, user, status)

    def set(self, viewer: int, user: int, status: NativeStatus | None) -> None:
        self.users.know(viewer, user)
        if status is None:
            self.users.drop(viewer, user)
        else:
            self.users.put(viewer, user, status, MIRROR[status])
''',
    "simulator/api.py": '''"""The calls of a simulated platform of the kind NAME: write them as the platform's documentation has them."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from adapters.NAME.simulator.state import State
from adapters.NAME.wire import NativeStatus
from adapters.simulation.tokens import Tokens
from adapters.user_ids import INT64


class Platform:
    """Takes the token `demo`."""

    login_paths = ("/login",)

    def __init__(self, *, empty: bool = False) -> None:
        self.tokens = Tokens()
        self.user_ids = INT64
        self.switches: dict[str, bool] = {}
        self.clock_offset = 0.0
        self._state = State(empty=empty)
        self.routes: list[Route] = []
        """write the calls here; a user who does not exist, and a token that is not known, is an HTTPException"""

    def error(self, status: int) -> dict[str, Any]:
        return {"error": f"The simulated platform says no ({status})."}

    def set_connection(self, viewer: int, user: int, status: str | None) -> None:
        self._state.set(viewer, user, None if status is None else NativeStatus(status))

    def connection(self, viewer: int, user: int) -> str | None:
        return self._state.users.between(viewer, user)
''',
}
DIALECT: Final = """UPPER: Final = Dialect(
    settings=NAME.Settings,
    connect=NAME.CLASSAdapter,
    simulated=CLASSSimulated,
    own={"mode": "token", "token": "demo"},
    named=None,
    words={
        "connected": Status.CONNECTED,
        "pending_incoming": Status.PENDING_INCOMING,
        "pending_outgoing": Status.PENDING_OUTGOING,
        None: Status.NONE,
    },
    says_who_exists=True,
    good="{}",
    broken={},
    not_found='{"error":"no"}',
    acting_path="/",
    list_path="/",
    incoming=lambda user: {"id": user},
    incoming_at=None,
    counts=False,
    listed=lambda entries: entries,
    nameless={"null": None},
    who_am_i=("/", "{}"),
    logs_in=False,
)

"""
EXAMPLE: Final = """# A platform of the kind NAME.
[platforms.my-NAME]
adapter = "NAME"
base_url = "https://NAME.example.com"
credentials = { mode = "token", token_file = "/run/secrets/NAME-token" }

"""


def main(name: str, root: Path = ROOT) -> None:
    """Write the skeleton of an adapter. Raises ValueError for a name that is none, or taken."""
    if not re.fullmatch(r"[a-z][a-z0-9]{0,31}", name):
        raise ValueError("NAME: expected a word of a-z and 0-9, a letter first")
    folder = root / "adapters" / name
    if folder.exists() or (root / "adapters" / f"{name}.py").exists():
        raise ValueError(f"NAME: adapters/{name} exists")

    def named(text: str) -> str:
        return text.replace("CLASS", name.title()).replace("UPPER", name.upper()).replace("NAME", name)

    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(named(text))
    _insert(
        root / "adapters" / "__init__.py",
        (r"(?m)^from adapters import (.*)$", lambda found: f"from adapters import {_sorted(found[1], name)}"),
        (
            r'(?m)^\}\n"""The settings of each',
            lambda found: named("    NAME.Settings: NAME.CLASSAdapter,\n") + found[0],
        ),
    )
    _insert(
        root / "tests" / "contract" / "dialects.py",
        (
            r"(?m)^from adapters import (AdapterClass, adapter_name, )(.*)$",
            lambda found: f"from adapters import {found[1]}{_sorted(found[2], name)}",
        ),
        (
            r"(?m)^from adapters\.(?=\w+\.simulator)",
            lambda found: named("from adapters.NAME.simulator import Platform as CLASSSimulated\n") + found[0],
        ),
        (
            r"(?m)^DIALECTS: Final = \((.*)\)$",
            lambda found: f"{named(DIALECT)}DIALECTS: Final = ({name.upper()}, {found[1]})",
        ),
    )
    _insert(
        root / "config" / "gateway.example.toml",
        (r"(?m)^# Any kind, asked as whoever calls", lambda found: named(EXAMPLE) + found[0]),
    )


def _sorted(names: str, name: str) -> str:
    return ", ".join(sorted([*names.split(", "), name]))


def _insert(file: Path, *edits: tuple[str, Callable[[re.Match[str]], str]]) -> None:
    text = file.read_text()
    for pattern, edit in edits:
        text, count = re.subn(pattern, edit, text, count=1)
        if not count:
            raise ValueError(f"{file}: found no place for it")
    file.write_text(text)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "")
    except ValueError as error:
        sys.exit(str(error))
    sys.stdout.write(
        f"adapters/{sys.argv[1]}/ is written, and is in the list, the dialects and the example.\n"
        f"What is left to write: .venv/bin/python -m pytest tests/contract -q -k {sys.argv[1]}\n"
        "docs/adding-a-platform.md says how.\n"
    )
