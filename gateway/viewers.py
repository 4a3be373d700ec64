"""Whose eyes: from a request's headers to the viewer as whom a platform is asked.

It reads only what adapters declare about their headers and modes; it knows no platform.
"""

from __future__ import annotations

import secrets
from hashlib import blake2b

from starlette.datastructures import Headers

from adapters.contract import Adapter, Viewer, ViewerSource
from adapters.secret import Token
from gateway.headers import single
from gateway.problems import Kind, Problem


class Viewers:
    """A viewer whom only a token tells apart is known by its hash under a key of this process."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def of(self, headers: Headers, adapter: Adapter) -> Viewer:
        """Raises the Problem `missing-credential`, or `invalid-request` for a header that can't be meant."""
        if "x-on-behalf-of" in headers:
            raise Problem(
                Kind.INVALID_REQUEST,
                f"X-On-Behalf-Of: platform {adapter.platform} (mode {adapter.mode}) can't be asked as a named user",
            )
        match adapter.viewer_source:
            case ViewerSource.OWN:
                return Viewer.own(adapter.platform)
            case ViewerSource.CALLER:
                token = _token(headers, adapter)
                key = blake2b(token.reveal().encode(), key=self._key, digest_size=16).digest()
                return Viewer(adapter.platform, key, token)


def _token(headers: Headers, adapter: Adapter) -> Token:
    name, scheme = adapter.TOKEN_HEADER, adapter.TOKEN_SCHEME
    value = single(headers, name) or ""
    if scheme is not None:
        given, _, value = value.partition(" ")
        value = value.lstrip(" ") if given.lower() == scheme.lower() else ""
    if not value:
        expected = name if scheme is None else f"{name}: {scheme}"
        raise Problem(
            Kind.MISSING_CREDENTIAL, f"expected the viewer's token as {expected}", platform=adapter.platform
        )
    try:
        return Token(value)
    except ValueError as error:
        raise Problem(Kind.INVALID_REQUEST, f"{name}: {error}") from error
