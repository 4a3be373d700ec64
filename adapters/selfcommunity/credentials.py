"""How a community is shown who we are: `authorize` puts a bearer token on a request."""

from __future__ import annotations

import httpx

from adapters.secret import Secret

TOKEN_HEADER = "Authorization"
TOKEN_SCHEME = "Bearer"


def authorize(request: httpx.Request, token: Secret) -> None:
    request.headers[TOKEN_HEADER] = f"{TOKEN_SCHEME} {token.reveal()}"
