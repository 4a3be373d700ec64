"""Whose eyes: from a request's headers to the viewers as whom platforms are asked.

It reads only what adapters declare about their headers and modes; it knows no platform. A token never travels to a
host that it was not meant for: where two platforms of a call would take it from the same header, they must be named.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b

from starlette.datastructures import Headers

from adapters.contract import Adapter, Viewer, ViewerSource
from adapters.secret import Token
from gateway.headers import single
from gateway.problems import Kind, Problem

NAMING_HEADER = "X-Platform-Token"
"""`acme=TOKEN, club=TOKEN`: names the platform that each token is for."""
ON_BEHALF_HEADER = "X-On-Behalf-Of"


class Viewers:
    """A viewer whom only a token tells apart is known by its hash under a key of this process."""

    def __init__(self, adapters: Mapping[str, Adapter]) -> None:
        self._adapters = adapters
        self._key = secrets.token_bytes(32)
        headers = {adapter.TOKEN_HEADER: None for adapter in adapters.values()}
        self.headers = (*headers, NAMING_HEADER, ON_BEHALF_HEADER)
        """the request headers that say who the viewer is"""

    def of(self, headers: Headers, platforms: Collection[str]) -> Mapping[str, Viewer | Problem]:
        """The viewer of each of these platforms, or the Problem `missing-credential`.

        Raises the Problem `invalid-request` for a header that can't be meant.
        """
        if ON_BEHALF_HEADER.lower() in headers:
            raise Problem(Kind.INVALID_REQUEST, f"{ON_BEHALF_HEADER}: no platform here can be asked as a named user")
        named = self._named(headers)
        adapters = [self._adapters[name] for name in platforms]
        for each in adapters:
            if each.viewer_source is ViewerSource.CALLER:
                single(headers, each.TOKEN_HEADER)
        _check_shared_headers(headers, [each for each in adapters if each.platform not in named], adapters)
        return {each.platform: self._viewer(headers, each, named.get(each.platform)) for each in adapters}

    def viewer(self, headers: Headers, platform: str) -> Viewer:
        """Of one platform; its Problem is raised."""
        viewer = self.of(headers, (platform,))[platform]
        if isinstance(viewer, Problem):
            raise viewer
        return viewer

    def _viewer(self, headers: Headers, adapter: Adapter, named: Token | None) -> Viewer | Problem:
        match adapter.viewer_source:
            case ViewerSource.OWN:
                return Viewer.own(adapter.platform)
            case ViewerSource.CALLER:
                token = named or _token(headers, adapter)
                if token is None:
                    expected = f"{_form(adapter)}, or in {NAMING_HEADER}"
                    detail = f"expected the viewer's token as {expected}"
                    return Problem(Kind.MISSING_CREDENTIAL, detail, platform=adapter.platform)
                key = blake2b(token.reveal().encode(), key=self._key, digest_size=16).digest()
                return Viewer(adapter.platform, key, token)

    def _named(self, headers: Headers) -> Mapping[str, Token]:
        """The tokens of X-Platform-Token. What is wrong is told by its place: anything else could be a token."""
        text = single(headers, NAMING_HEADER)
        tokens: dict[str, Token] = {}
        for place, part in enumerate(text.split(",") if text else (), 1):
            name, _, token = part.strip(" \t").partition("=")
            where = f"{NAMING_HEADER}: part {place}"
            adapter = self._adapters.get(name)
            if adapter is None:
                raise Problem(Kind.INVALID_REQUEST, f"{where}: expected PLATFORM=TOKEN with a configured platform")
            if adapter.viewer_source is not ViewerSource.CALLER:
                raise Problem(Kind.INVALID_REQUEST, f"{where}: platform {name} has a credential of its own")
            if name in tokens:
                raise Problem(Kind.INVALID_REQUEST, f"{where}: platform {name} is named twice")
            tokens[name] = _checked(token, where)
        return tokens


def _check_shared_headers(headers: Headers, unnamed: Iterable[Adapter], touched: Iterable[Adapter]) -> None:
    """A header that several platforms of this call would read is refused, unless each of them is named."""
    callers = [each for each in touched if each.viewer_source is ViewerSource.CALLER]
    for each in unnamed:
        takers = [other.platform for other in callers if _form(other) == _form(each)]
        if each.platform in takers and len(takers) > 1 and _token(headers, each):
            detail = f"{' and '.join(takers)} would take it: name each in {NAMING_HEADER}"
            raise Problem(Kind.INVALID_REQUEST, f"{each.TOKEN_HEADER}: {detail}")


def _form(adapter: Adapter) -> str:
    """How this platform's token is sent: `Authorization: Bearer`."""
    return adapter.TOKEN_HEADER if adapter.TOKEN_SCHEME is None else f"{adapter.TOKEN_HEADER}: {adapter.TOKEN_SCHEME}"


def _token(headers: Headers, adapter: Adapter) -> Token | None:
    """The token in the platform's own header, if there is one."""
    name, scheme = adapter.TOKEN_HEADER, adapter.TOKEN_SCHEME
    value = single(headers, name) or ""
    if scheme is not None:
        given, _, value = value.partition(" ")
        value = value.lstrip(" ") if given.lower() == scheme.lower() else ""
    return _checked(value, name) if value else None


def _checked(text: str, where: str) -> Token:
    try:
        return Token(text)
    except ValueError as error:
        raise Problem(Kind.INVALID_REQUEST, f"{where}: {error}") from error
