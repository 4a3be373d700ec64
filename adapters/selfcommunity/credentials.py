"""How a community is shown who we are: `log_in` gets a bearer token, `authorize` puts it on a request."""

from __future__ import annotations

import asyncio
import os
import tempfile
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from adapters.contract import OwnCredentialRefused, Viewer
from adapters.secret import Secret
from adapters.selfcommunity.settings import Jwt, OAuth2, RefreshToken
from adapters.selfcommunity.wire import ERROR, GRANT, OAUTH_ERROR, RENEWED, Renewed
from adapters.sessions import LoginRefused
from adapters.upstream import Upstream

TOKEN_HEADER = "Authorization"
TOKEN_SCHEME = "Bearer"
LIFETIME: Final = 300
"""Seconds that a token of our own signing lives."""
REFUSED: Final = frozenset({400, 401, 403})
LONGEST_FILE: Final = 64 * 1024
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
            "iat": now,
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

    async def log_in(self, _viewer: Viewer) -> Secret:
        """A new access token. LoginRefused where the community does not take client, user or refresh token.

        A new refresh token replaces the one that got it, in its file too; where that fails, it is kept in memory.
        """
        refresh = self._settings.refresh_token
        if refresh is None:
            return self._granted(await self._ask())
        async with refresh.lock:
            await asyncio.to_thread(self._read_again, refresh)
            response = await self._ask()
            sent = refresh.reveal()
            if response.status_code in REFUSED:
                await asyncio.to_thread(self._read_again, refresh)
                if refresh.reveal() != sent:  # another process was faster
                    response = await self._ask()
            renewed = self._upstream.decode_part(response.content, RENEWED)
            if response.is_success and isinstance(renewed, Renewed) and renewed.refresh_token != refresh.reveal():
                await asyncio.to_thread(self._replace, refresh, renewed.refresh_token)
            return self._granted(response)

    def _granted(self, response: httpx.Response) -> Secret:
        if response.status_code == httpx.codes.BAD_REQUEST:
            self._upstream.own_error(response, OAUTH_ERROR)
        if response.status_code in REFUSED:
            whose = "user" if self._settings.refresh_token is None else "refresh token"
            detail = f"the community refused the client or its {whose}"
            refused = OwnCredentialRefused(self._upstream.platform, detail)
            raise LoginRefused(self._upstream.refused_login(response, refused, ERROR, OAUTH_ERROR))
        return Secret(self._upstream.expect(response, GRANT).access_token)

    async def _ask(self) -> httpx.Response:
        headers, safe = {"Accept": "application/json"}, self._settings.refresh_token is None
        request = httpx.Request("POST", self._url, headers=headers, data=self._form(), extensions={"safe": safe})
        return await self._upstream.send(request)

    def _form(self) -> dict[str, str]:
        settings = self._settings
        form = {"client_id": settings.client_id, "client_secret": settings.client_secret.reveal()}
        if settings.refresh_token is not None:
            return form | {"grant_type": "refresh_token", "refresh_token": settings.refresh_token.reveal()}
        assert settings.username is not None and settings.password is not None  # noqa: S101, PT018  as settings check
        return form | {
            "grant_type": "password",
            "username": settings.username,
            "password": settings.password.reveal(),
        }

    def _read_again(self, refresh: RefreshToken) -> None:
        """Another process (a command, say) may have used ours up, and left its successor in the file."""
        if self._settings.refresh_token_file is None:
            return
        found = self._in_file()
        if found and found != refresh.given:
            refresh.replace(found, written=True)

    def _replace(self, refresh: RefreshToken, text: str) -> None:
        """Whatever becomes of the file, the new one is in force. What somebody else put there is left alone."""
        written = False
        try:
            settings, known = self._settings, {refresh.given, refresh.reveal(), ""}
            if settings.keeps_refresh_tokens and settings.refresh_token_file is not None and self._in_file() in known:
                _write(Path(settings.refresh_token_file).resolve(), text)
                written = True
        except OSError:
            pass
        finally:
            refresh.replace(text, written=written)
        if not written:
            self._upstream.warn(LOST)

    def _in_file(self) -> str:
        """Empty where it can't be read, which the operator is told."""
        try:
            with Path(self._settings.refresh_token_file or "").open("rb") as file:
                return file.read(LONGEST_FILE).decode().strip()
        except (OSError, ValueError):
            self._upstream.warn(UNREADABLE)
            return ""


def _write(file: Path, text: str) -> None:
    """All of it or nothing, whenever the machine stops. It stays its owner's, and nobody else may read it."""
    owner = file.stat()
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # made with mode 600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as whole:
            if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            whole.write(text)
            whole.flush()
            os.fsync(descriptor)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
