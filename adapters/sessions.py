"""The token under which a call goes out, and what happens when the platform refuses it.

Both classes have one method, `call(viewer, request)`, so an adapter need not know which it has:

- `GivenTokens`: a token that we can't renew. Refused is refused.
- `Sessions`: tokens from logging in, one for each viewer. A token is used until the platform answers 401. Then
  there is one login, for everyone who waits, and each call is repeated once, actions included: a 401 was certainly
  not applied. Who comes back with a refused token that has been replaced meanwhile uses the new one. After a
  refused login none is tried for that viewer for `PAUSE` seconds, nor after a login whose token is refused although
  it is new: that token stays in use meanwhile, as it may be refused for one target user only. A login that fails
  otherwise is reported to all who waited for it, and the next who comes logs in anew.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import httpx

from adapters.contract import OwnCredentialRefused, PlatformError, Viewer
from adapters.secret import Secret
from adapters.token_store import StoredToken
from adapters.upstream import Upstream

PAUSE: Final = 5.0
"""Seconds without a login after a refused login, or after a new token was refused."""
CAPACITY: Final = 10_000
"""Sessions kept per platform; the one that was used longest ago goes first, and costs a login if it returns."""
UNAUTHORIZED: Final = 401

Authorize = Callable[[httpx.Request, Secret], None]
"""Puts a token into a request's header, in the platform's dialect; replaces one that is there."""


class Calls(Protocol):
    """How an adapter sends what needs a token."""

    async def call(self, viewer: Viewer, request: httpx.Request) -> httpx.Response:
        """The platform's answer, never a 401: that is raised as the contract's error."""
        ...

    async def aclose(self) -> None:
        """End what is under way for nobody in particular."""
        ...


class GivenTokens:
    """Calls under tokens that came from elsewhere: `token_of(viewer)`; `refused` is what a 401 is called."""

    def __init__(
        self,
        upstream: Upstream,
        authorize: Authorize,
        token_of: Callable[[Viewer], Secret],
        refused: type[PlatformError],
    ) -> None:
        self._upstream = upstream
        self._authorize = authorize
        self._token_of = token_of
        self._refused = refused

    async def call(self, viewer: Viewer, request: httpx.Request) -> httpx.Response:
        self._authorize(request, self._token_of(viewer))
        response = await self._upstream.send(request, viewer)
        if response.status_code == UNAUTHORIZED:
            raise self._refused(self._upstream.platform, "the platform refused the token")
        return response

    async def aclose(self) -> None:
        """Nothing is ever under way but calls."""


class _Session:
    """What is known of one viewer: the live token, the login under way, the last refusal and its pause's end."""

    __slots__ = ("is_borrowed", "login", "paused_until", "refusal", "refused", "token")

    def __init__(self) -> None:
        self.token: Secret | None = None
        self.is_borrowed = False
        """whether another process got it, who knows when"""
        self.refused: Secret | None = None
        """the last token that the platform did not take any more"""
        self.login: asyncio.Task[Secret] | None = None
        self.refusal: PlatformError | None = None
        self.paused_until = 0.0

    def expire(self) -> None:
        """The platform does not take its token any more."""
        self.refused, self.token = self.token, None

    def pause(self, refusal: PlatformError) -> None:
        self.refusal = refusal
        self.paused_until = asyncio.get_running_loop().time() + PAUSE

    @property
    def pause_left(self) -> float:
        """Seconds until a login may be tried."""
        return max(self.paused_until - asyncio.get_running_loop().time(), 0.0)


class LoginRefused(Exception):
    """The platform said no to a login; `error` is what that means to whoever wanted it."""

    def __init__(self, error: PlatformError) -> None:
        super().__init__(str(error))
        self.error = error


class Sessions:
    """Calls under tokens that `log_in(viewer)` gets. It raises LoginRefused where the platform says no."""

    def __init__(
        self,
        upstream: Upstream,
        authorize: Authorize,
        log_in: Callable[[Viewer], Awaitable[Secret]],
        capacity: int = CAPACITY,
        *,
        are_shared: bool = True,
    ) -> None:
        self._upstream = upstream
        self._authorize = authorize
        self._log_in = log_in
        self._capacity = capacity
        self._tokens = upstream.tokens if are_shared else None
        self._sessions: OrderedDict[Viewer, _Session] = OrderedDict()
        self._logins: set[asyncio.Task[Secret]] = set()

    async def call(self, viewer: Viewer, request: httpx.Request) -> httpx.Response:
        response = await self.ask(viewer, request)
        if response.status_code == UNAUTHORIZED:
            raise self._refused_new_token(self._session(viewer).pause_left or None)
        return response

    async def ask(self, viewer: Viewer, request: httpx.Request) -> httpx.Response:
        """As `call`, but the answer may be a 401: what it means under a new token is for the asker to say."""
        token, response = await self._send(viewer, request)
        if response.status_code != UNAUTHORIZED:
            return response
        session = self._session(viewer)
        if session.token is token:
            if session.pause_left:
                return response
            session.expire()
        token, response = await self._send(viewer, request)
        session = self._session(viewer)
        if response.status_code == UNAUTHORIZED and (session.token is not token or session.is_borrowed):
            if session.token is token:
                session.expire()  # it may be as old as the one before
            token, response = await self._send(viewer, request)
            session = self._session(viewer)
        if response.status_code == UNAUTHORIZED and session.token is token and not session.pause_left:
            session.pause(self._refused_new_token())
        return response

    async def _send(self, viewer: Viewer, request: httpx.Request) -> tuple[Secret, httpx.Response]:
        """The answer, and the token under which the request went out."""
        token = await self.token(viewer)
        self._authorize(request, token)
        return token, await self._upstream.send(request, viewer)

    async def token(self, viewer: Viewer) -> Secret:
        """The viewer's live token, after a login where there is none."""
        session = self._session(viewer)
        return session.token or await self._renew(session, viewer)

    async def aclose(self) -> None:
        """A login under way comes to its end: its answer may be all that is left of a token that it used up."""
        if self._logins:
            await asyncio.wait(self._logins.copy())

    def _session(self, viewer: Viewer) -> _Session:
        session = self._sessions.get(viewer)
        if session is None:
            self._make_room()
            session = self._sessions[viewer] = _Session()
        else:
            self._sessions.move_to_end(viewer)
        return session

    def _make_room(self) -> None:
        """Whoever is logging in stays, also beyond the capacity: forgotten, the next to come would log in as well."""
        while len(self._sessions) >= self._capacity:
            idle = next((viewer for viewer, session in self._sessions.items() if session.login is None), None)
            if idle is None:
                return
            del self._sessions[idle]

    async def _renew(self, session: _Session, viewer: Viewer) -> Secret:
        if session.login is None:
            pause = session.pause_left
            if pause and session.refusal is not None:
                detail = f"{session.refusal.detail}; no login is tried for {PAUSE:g} s after that"
                raise type(session.refusal)(self._upstream.platform, detail, retry_after=pause)
            session.login = asyncio.create_task(self._open(session, viewer))
            self._logins.add(session.login)
            session.login.add_done_callback(self._ended)
        return await asyncio.shield(session.login)

    async def _open(self, session: _Session, viewer: Viewer) -> Secret:
        try:
            session.token, is_new = await self._new_token(session, viewer)
            session.is_borrowed = not is_new
        except LoginRefused as refused:
            self._upstream.logged_in("refused")
            session.pause(refused.error)
            raise refused.error from refused
        except PlatformError:
            self._upstream.logged_in("failed")
            raise
        finally:
            session.login = None
        if is_new:
            self._upstream.logged_in("ok")
        return session.token

    async def _new_token(self, session: _Session, viewer: Viewer) -> StoredToken:
        if self._tokens is None:
            return StoredToken(await self._log_in(viewer), is_new=True)
        return await self._tokens.token(viewer, session.refused, self._log_in)

    def _refused_new_token(self, retry_after: float | None = None) -> OwnCredentialRefused:
        detail = "a new token was refused as well: is the credential right, and is its user there?"
        return OwnCredentialRefused(self._upstream.platform, detail, retry_after=retry_after)

    def _ended(self, login: asyncio.Task[Secret]) -> None:
        """A login that failed after everybody had left is nobody's unhandled exception."""
        self._logins.discard(login)
        if not login.cancelled():
            login.exception()  # noqa: LOG004  a task has one as well
