"""How a pod is shown who we are: `log_in` gets a session token, `authorize` puts it on a request."""

from __future__ import annotations

import asyncio

import httpx

from adapters.contract import Forbidden, OwnCredentialRefused, Viewer
from adapters.secret import Secret
from adapters.sessions import LoginRefused, Sessions
from adapters.symphony.settings import RsaKey
from adapters.symphony.wire import ERROR, TOKEN
from adapters.upstream import Upstream

TOKEN_HEADER = "sessionToken"
LIFETIME_OF_LOGIN = 240
"""Seconds. A pod refuses a login JWT that expires more than 300 s ahead; its clock may be up to 60 s behind ours."""


def authorize(request: httpx.Request, token: Secret) -> None:
    request.headers[TOKEN_HEADER] = token.reveal()


class RsaLogin:
    """Of a service account or an app: a JWT signed with RS512 for a session token."""

    def __init__(self, subject: str, key: RsaKey, upstream: Upstream, url: str) -> None:
        """`subject` is the username, or the app's id."""
        import jwt

        self._sign = jwt.encode
        self._subject = subject
        self._key = key
        self._upstream = upstream
        self._url = url

    async def log_in(self, _viewer: Viewer) -> Secret:
        """A new session token. LoginRefused where the pod does not take the key or the name."""
        claims = {"sub": self._subject, "exp": int(self._upstream.now()) + LIFETIME_OF_LOGIN}
        # In a thread, since the loop has better things to do: a key of 4096 bits takes 1.5 ms.
        signed = await asyncio.to_thread(self._sign, claims, self._key.key, "RS512")
        request = httpx.Request("POST", self._url, json={"token": signed}, extensions={"safe": True})
        response = await self._upstream.send(request)
        if response.status_code in {401, 403}:
            detail = "the pod refused the login: is the name right, and the key the one that it knows?"
            refused = OwnCredentialRefused(self._upstream.platform, detail)
            raise LoginRefused(self._upstream.refused_login(response, refused, ERROR))
        return Secret(self._upstream.expect(response, TOKEN).token)


class OnBehalfLogin:
    """Of an app that speaks for a user: the app's session token for one of that user's."""

    def __init__(self, app: Sessions, upstream: Upstream, login_url: str) -> None:
        self._app = app
        self._upstream = upstream
        self._url = f"{login_url}/pubkey/app/user"

    async def log_in(self, viewer: Viewer) -> Secret:
        """A new session token of the user whom the viewer names.

        LoginRefused where the pod does not let the app speak for that user: a 401 under a new session of the app
        says so as well, because that session has just been given.
        """
        user_id = viewer.named_user()
        url = f"{self._url}/{user_id}/authenticate"
        request = httpx.Request("POST", url, extensions={"safe": True, "users": (user_id,)})
        response = await self._app.ask(Viewer.own(self._upstream.platform), request)
        if response.status_code in {401, 403}:
            detail = "the pod does not let the app speak for this viewer: is the user there, and has the app?"
            refused = Forbidden(self._upstream.platform, detail)
            raise LoginRefused(self._upstream.refused_login(response, refused, ERROR))
        return Secret(self._upstream.expect(response, TOKEN).token)
