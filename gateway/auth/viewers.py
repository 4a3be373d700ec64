"""Resolves viewers: from request headers to the user as whom each platform is asked.

It reads only what adapters declare about their headers and modes; it knows no platform. A token never travels to a
host that it was not meant for: where two platforms of a call would take it from the same header, they must be named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from adapters.contract import Adapter, Viewer
from adapters.secret import Token
from adapters.settings import ViewerSource
from adapters.user_ids import UserKey
from gateway.auth.authorization import Caller
from gateway.auth.callers import KEY_HEADER
from gateway.auth.on_behalf import NO_VIEWERS, OnBehalf
from gateway.auth.request_headers import RequestHeaders
from gateway.config.caller_settings import Right
from gateway.problems.problem import Kind, Problem

NAMING_HEADER = "X-Platform-Token"
"""`acme=TOKEN, club=TOKEN`: names the platform that each token is for."""
ON_BEHALF_HEADER = "X-On-Behalf-Of"


def identity_headers(adapters: Iterable[Adapter]) -> tuple[str, ...]:
    """The request headers that say who calls, and as whom."""
    tokens = {adapter.TOKEN_HEADER: None for adapter in adapters}
    return (KEY_HEADER, *tokens, NAMING_HEADER, ON_BEHALF_HEADER)


class ResolvedViewers(NamedTuple):
    """The viewer of each platform, or the Problem that keeps it from being asked; and whom the caller named.

    Where a header can't be meant, `viewers` is the Problem that refuses the whole call.
    """

    viewers: Mapping[str, Viewer | Problem] | Problem
    named: Mapping[str, UserKey]


class Viewers:
    """Resolves the viewers of requests. A viewer known only by a token is identified by its hash under `key`."""

    def __init__(self, adapters: Mapping[str, Adapter], key: bytes) -> None:
        self._adapters = adapters
        self._user_ids = {name: adapter.USER_IDS for name, adapter in adapters.items()}
        self._key = key

    def claimed_viewers(self, headers: RequestHeaders) -> dict[str, UserKey]:
        """Whom the caller names, by platform or for all of them (empty); nobody where that makes no sense."""
        if not headers.has(ON_BEHALF_HEADER):
            return {}
        named, _ = self._on_behalf(headers, ())
        return dict(named.by_platform) if named.everywhere is None else {"": named.everywhere}

    def of(
        self, platforms: Collection[str], caller: Caller, right: Right, headers: RequestHeaders
    ) -> ResolvedViewers:
        """The viewer of each of these platforms, or what keeps this caller from being answered there: its policy
        first, then the credential.
        """
        refusals = {name: caller.refusal(name, right) for name in platforms}
        asked = [self._adapters[name] for name in platforms]
        allowed = [each for each in asked if refusals[each.platform] is None]
        on_behalf, malformed = self._on_behalf(headers, asked)
        named_viewers = {name: user for name in platforms if (user := on_behalf.of(name)) is not None}
        if malformed and allowed:
            return ResolvedViewers(malformed, named_viewers)
        try:
            return ResolvedViewers(self._resolve(asked, caller, headers, on_behalf, refusals), named_viewers)
        except Problem as problem:
            return ResolvedViewers(problem, named_viewers)

    def _resolve(
        self,
        asked: Sequence[Adapter],
        caller: Caller,
        headers: RequestHeaders,
        on_behalf: OnBehalf,
        refusals: Mapping[str, Problem | None],
    ) -> Mapping[str, Viewer | Problem]:
        allowed = [each for each in asked if refusals[each.platform] is None]
        named = self._named(headers) if allowed else {}
        for each in allowed:
            if each.viewer_source is ViewerSource.CALLER:
                headers.single(each.TOKEN_HEADER)
        _check_shared_headers(headers, [each for each in allowed if each.platform not in named], allowed)
        return {
            each.platform: refusals[each.platform]
            or self._viewer(headers, each, caller, named.get(each.platform), on_behalf.of(each.platform))
            for each in asked
        }

    def _viewer(
        self, headers: RequestHeaders, adapter: Adapter, caller: Caller, token: Token | None, user_id: UserKey | None
    ) -> Viewer | Problem:
        platform = adapter.platform
        if user_id is not None and adapter.viewer_source is not ViewerSource.NAMED:
            detail = f"{ON_BEHALF_HEADER}: this platform is not asked on behalf of named users"
            return Problem(Kind.INVALID_REQUEST, detail, platform=platform)
        match adapter.viewer_source:
            case ViewerSource.CALLER:
                return self._token_viewer(headers, adapter, token)
            case ViewerSource.OWN:
                return Viewer.own(platform)
            case ViewerSource.NAMED:
                return _named_viewer(platform, caller, user_id)

    def _token_viewer(self, headers: RequestHeaders, adapter: Adapter, token: Token | None) -> Viewer | Problem:
        scheme, given = _given(headers, adapter) if token is None else _named_scheme(token.reveal(), adapter)
        if not given:
            detail = f"expected the viewer's token as {_form(adapter)}, or in {NAMING_HEADER}"
            return Problem(Kind.MISSING_CREDENTIAL, detail, platform=adapter.platform)
        if scheme is None:
            told = given
        else:
            token, told = None, f"{scheme} {given}"
        key = blake2b(told.encode("latin-1"), key=self._key, digest_size=16).digest()
        return Viewer(adapter.platform, key, token or _checked(given, adapter.TOKEN_HEADER), scheme=scheme)

    def _on_behalf(self, headers: RequestHeaders, asked: Collection[Adapter]) -> tuple[OnBehalf, Problem | None]:
        """One who is named without a platform counts for the only one that takes names.

        Over several of those it is malformed: the same number is another person on another platform.
        """
        try:
            text = headers.single(ON_BEHALF_HEADER)
            found = NO_VIEWERS if text is None else OnBehalf.parse(text, self._user_ids)
        except ValueError as error:
            return NO_VIEWERS, Problem(Kind.INVALID_REQUEST, f"{ON_BEHALF_HEADER}: {error}")
        except Problem as problem:
            return NO_VIEWERS, problem
        taking = [each.platform for each in asked if each.viewer_source is ViewerSource.NAMED]
        if found.everywhere is not None and len(taking) > 1:
            detail = f"{ON_BEHALF_HEADER}: {' and '.join(taking)} would take it: name each, as {taking[0]}=USER_ID"
            return NO_VIEWERS, Problem(Kind.INVALID_REQUEST, detail)
        try:
            return found.on({name: self._user_ids[name] for name in taking}) if taking else found, None
        except ValueError as error:
            return NO_VIEWERS, Problem(Kind.INVALID_REQUEST, f"{ON_BEHALF_HEADER}: {error}")

    def _named(self, headers: RequestHeaders) -> Mapping[str, Token]:
        """The tokens of X-Platform-Token. What is wrong is told by its place: anything else could be a token."""
        text = headers.single(NAMING_HEADER)
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


def _named_viewer(platform: str, caller: Caller, user_id: UserKey | None) -> Viewer | Problem:
    if user_id is None:
        detail = f"{ON_BEHALF_HEADER}: expected the user as whom this platform is asked"
        return Problem(Kind.INVALID_REQUEST, detail, platform=platform)
    if not caller.may_speak_for(platform, user_id):
        return Problem(Kind.NOT_ALLOWED, "this caller may not speak for this viewer", platform=platform)
    return Viewer.named(platform, user_id)


def _check_shared_headers(headers: RequestHeaders, unnamed: Iterable[Adapter], touched: Iterable[Adapter]) -> None:
    """A header that several platforms of this call would read is refused, unless each of them is named."""
    callers = [each for each in touched if each.viewer_source is ViewerSource.CALLER]
    for each in unnamed:
        same = [other for other in callers if other.TOKEN_HEADER == each.TOKEN_HEADER]
        takers = [other.platform for other in same if _given(headers, other)[1]]
        if each.platform in takers and len(takers) > 1:
            detail = f"{' and '.join(takers)} would take it: name each in {NAMING_HEADER}"
            raise Problem(Kind.INVALID_REQUEST, f"{each.TOKEN_HEADER}: {detail}")


def _form(adapter: Adapter) -> str:
    """How this platform's token is sent: `Authorization: Bearer`."""
    schemes = " or ".join(adapter.TOKEN_SCHEMES)
    return f"{adapter.TOKEN_HEADER}: {schemes}" if schemes else adapter.TOKEN_HEADER


def _given(headers: RequestHeaders, adapter: Adapter) -> tuple[str | None, str]:
    """The scheme, unless it is the first, and the token in the platform's own header; empty where there is none."""
    value = headers.single(adapter.TOKEN_HEADER) or ""
    if not adapter.TOKEN_SCHEMES:
        return None, value
    given, _, value = value.partition(" ")
    for place, scheme in enumerate(adapter.TOKEN_SCHEMES):
        if given.lower() == scheme.lower():
            return scheme if place else None, value.lstrip(" ")
    return None, ""


def _named_scheme(text: str, adapter: Adapter) -> tuple[str | None, str]:
    """A token of X-Platform-Token and its scheme, which stands before it if it is not the first: `Basic:…`."""
    for scheme in adapter.TOKEN_SCHEMES[1:]:
        if text.lower().startswith(f"{scheme.lower()}:"):
            return scheme, text[len(scheme) + 1 :]
    return None, text


def _checked(text: str, where: str) -> Token:
    try:
        return Token(text)
    except ValueError as error:
        raise Problem(Kind.INVALID_REQUEST, f"{where}: {error}") from error
