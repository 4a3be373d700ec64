"""How a pod is shown who we are: `log_in` gets a session token, `authorize` puts it on a request."""

from __future__ import annotations

import httpx
import jwt

from adapters.contract import OwnCredentialRefused, Viewer
from adapters.secret import Secret
from adapters.symphony.settings import Bot
from adapters.symphony.wire import TOKEN
from adapters.upstream import Upstream

TOKEN_HEADER = "sessionToken"
LIFETIME_OF_LOGIN = 290
"""Seconds; a pod refuses a login JWT that lives longer than 300."""


def authorize(request: httpx.Request, token: Secret) -> None:
    request.headers[TOKEN_HEADER] = token.reveal()


class BotLogin:
    """The RSA login of a service account: a JWT signed with RS512 for a session token."""

    def __init__(self, settings: Bot, upstream: Upstream, url: str) -> None:
        self._settings = settings
        self._upstream = upstream
        self._url = f"{url}/pubkey/authenticate"

    async def log_in(self, _viewer: Viewer) -> Secret:
        """A new session token; OwnCredentialRefused where the pod does not take the key or the username."""
        claims = {"sub": self._settings.username, "exp": int(self._upstream.now()) + LIFETIME_OF_LOGIN}
        signed = jwt.encode(claims, self._settings.private_key.key, algorithm="RS512")
        request = httpx.Request("POST", self._url, json={"token": signed}, extensions={"safe": True})
        response = await self._upstream.send(request)
        if response.status_code in {401, 403}:
            raise OwnCredentialRefused(self._upstream.platform, "the pod refused the bot's key or username")
        return Secret(self._upstream.expect(response, TOKEN).token)
