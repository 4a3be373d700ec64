"""How a community is shown who we are: `log_in` gets a bearer token, `authorize` puts it on a request."""

from __future__ import annotations

import contextlib
import uuid
import warnings
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

import httpx

from adapters.contract import OwnCredentialRefused, Viewer
from adapters.refresh_token import RefreshToken, TokenFile
from adapters.secret import Secret
from adapters.selfcommunity.settings import Jwt, OAuth2
from adapters.selfcommunity.wire import ERROR, GRANT, OAUTH_ERROR, RENEWED, Renewed
from adapters.sessions import LoginRefused
from adapters.upstream import Upstream

TOKEN_HEADER = "Authorization"
TOKEN_SCHEME = "Bearer"
LIFETIME: Final = 300
"""Seconds until a token of our own signing expires."""
BACKDATED: Final = 60
"""Seconds by which `iat` lies in the past: servers refuse one in the future, and their clock may be behind ours."""
REFUSED: Final = frozenset({400, 401, 403})
LOST: Final = "refresh-token-not-kept"
UNREADABLE: Final = "refresh-token-unreadable"


def authorize(request: httpx.Request, token: Secret) -> None:
    request.headers[TOKEN_HEADER] = f"{TOKEN_SCHEME} {token.reveal()}"


class JwtLogin:
    """Signs a token with the community's secret (HS256). It asks nobody, so nobody refuses it here."""

    def __init__(self, settings: Jwt, now: Callable[[], float]) -> None:
        import jwt
        from jwt.warnings import InsecureKeyLengthWarning

        self._sign = jwt.encode
        self._short_key = InsecureKeyLengthWarning
        self._secret = settings.secret.reveal().encode()
        self._user_id = settings.user_id
        self._now = now

    async def log_in(self, viewer: Viewer) -> Secret:
        """A token of the configured user, or of the one whom the viewer names."""
        now = int(self._now())
        claims = {
            "token_type": "access",
            "user_id": viewer.named_user() if self._user_id is None else self._user_id,
            "jti": uuid.uuid4().hex,
            "iat": now - BACKDATED,
            "exp": now + LIFETIME,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", self._short_key)  # the configuration has warned of it already
            return Secret(self._sign(claims, self._secret, algorithm="HS256"))


class OAuthLogin:
    """The OAuth 2.0 client: a refresh token, or a username and a password, for an access token."""

    def __init__(self, settings: OAuth2, upstream: Upstream, login_url: str) -> None:
        self._settings = settings
        self._upstream = upstream
        self._url = f"{login_url}/token/"
        self._refresh: RefreshToken | None = None
        self._file: TokenFile | None = None
        if settings.refresh_token is not None:
            self._refresh = upstream.refresh_tokens.in_use(settings.refresh_token)
            if settings.refresh_token_file is not None:
                path = Path(settings.refresh_token_file)
                self._file = TokenFile(path, self._refresh, lambda: settings.keeps_refresh_tokens)

    async def log_in(self, _viewer: Viewer) -> Secret:
        """A new access token. LoginRefused where the community does not take client, user or refresh token.

        A new refresh token replaces the one that got it, in its file too; where that fails, it is kept in memory.
        """
        refresh = self._refresh
        if refresh is None:
            return self._granted(await self._ask())
        async with refresh.lock, self._spending(refresh):
            await self._take_over()
            response = await self._ask()
            if response.status_code in REFUSED and await self._take_over():  # another process was faster
                response = await self._ask()
            renewed = self._upstream.decode_part(response.content, RENEWED)
            if response.is_success and isinstance(renewed, Renewed) and renewed.refresh_token != refresh.reveal():
                refresh.replace(renewed.refresh_token)
                if self._file is None or not await self._file.write():
                    self._upstream.warn(LOST)
            return self._granted(response)

    def _spending(self, refresh: RefreshToken) -> AbstractAsyncContextManager[None]:
        tokens = self._upstream.tokens
        return contextlib.nullcontext() if tokens is None else tokens.spending(refresh)

    async def _take_over(self) -> bool:
        """Whether another process left a new refresh token in the file: it is in force now."""
        try:
            return self._file is not None and await self._file.read()
        except (OSError, ValueError):
            self._upstream.warn(UNREADABLE)
            return False

    def _granted(self, response: httpx.Response) -> Secret:
        if response.status_code == httpx.codes.BAD_REQUEST:
            self._upstream.own_error(response, OAUTH_ERROR)
        if response.status_code in REFUSED:
            whose = "user" if self._refresh is None else "refresh token"
            detail = f"the community refused the client or its {whose}"
            refused = OwnCredentialRefused(self._upstream.platform, detail)
            raise LoginRefused(self._upstream.refused_login(response, refused, ERROR, OAUTH_ERROR))
        return Secret(self._upstream.expect(response, GRANT).access_token)

    async def _ask(self) -> httpx.Response:
        headers, safe = {"Accept": "application/json"}, self._refresh is None
        request = httpx.Request("POST", self._url, headers=headers, data=self._form(), extensions={"safe": safe})
        return await self._upstream.send(request)

    def _form(self) -> dict[str, str]:
        settings = self._settings
        form = {"client_id": settings.client_id, "client_secret": settings.client_secret.reveal()}
        if self._refresh is not None:
            return form | {"grant_type": "refresh_token", "refresh_token": self._refresh.reveal()}
        assert settings.username is not None and settings.password is not None  # noqa: S101, PT018  as settings check
        return form | {
            "grant_type": "password",
            "username": settings.username,
            "password": settings.password.reveal(),
        }
