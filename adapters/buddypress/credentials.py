"""How a site is shown who we are: each credential as the whole of the header `Authorization`."""

from __future__ import annotations

import base64

import httpx

from adapters.contract import Viewer
from adapters.secret import Secret

TOKEN_HEADER = "Authorization"
SCHEMES = ("Bearer", "Basic")


def authorize(request: httpx.Request, credential: Secret) -> None:
    request.headers[TOKEN_HEADER] = credential.reveal()


def bearer(token: Secret) -> Secret:
    return Secret(f"Bearer {token.reveal()}")


def basic(username: str, password: Secret) -> Secret:
    """RFC 7617. WordPress prints an application password in groups, and takes it with the spaces or without."""
    pair = f"{username}:{password.reveal()}".encode()
    return Secret(f"Basic {base64.b64encode(pair).decode()}")


def brought(viewer: Viewer) -> Secret:
    """What the caller brought, under the scheme with which it came."""
    return Secret(f"{viewer.scheme or SCHEMES[0]} {viewer.brought_token().reveal()}")
