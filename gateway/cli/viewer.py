"""As whom the commands `lookup`, `list` and `act` ask: by the same rules as a caller of the API."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import msgspec

from adapters.contract import Adapter, Viewer
from adapters.secret import RedactedRepr, Token
from adapters.settings import ViewerSource
from gateway.auth.authorization import Caller
from gateway.auth.request_headers import RequestHeaders
from gateway.auth.viewers import ON_BEHALF_HEADER, Viewers
from gateway.config.caller_settings import Grant, Right
from gateway.config.settings import Settings
from gateway.platforms.platform import Platform
from gateway.problems.problem import Kind, Problem

ON_BEHALF_OPTION: Final = "--on-behalf-of"
OPERATOR: Final = Caller(name=None, rights=frozenset(Right), grants=(Grant("*"),))
"""Whoever can read the configuration may do all that it allows anybody."""


class ViewerOptions(RedactedRepr, msgspec.Struct, frozen=True):
    """As whom the operator asks, where our own credential does not say it: with a viewer's token, or on behalf."""

    token: Token | None = None
    on_behalf: str | None = None
    """as in the header: `123`, or `acme=123, club=7`"""


class WrongViewer(Exception):
    """The options name no viewer for a platform that needs one, or one that it does not take."""


def viewers(
    settings: Settings, platforms: Mapping[str, Platform], names: Collection[str], options: ViewerOptions
) -> Mapping[str, Viewer]:
    """The viewer on each of the platforms in `names`. Raises WrongViewer.

    One token is for one platform: it travels to no other. Nothing is used up that the service needs.
    """
    for name in names:
        if settings.platforms[name].credentials.is_good_once:
            raise WrongViewer(
                f"platform {name}: to ask would use up its refresh token for good, because a new one can't be kept"
            )
    adapters = {name: platforms[name].adapter for name in names}
    takers = [each for each in adapters.values() if each.viewer_source is ViewerSource.CALLER]
    if len(takers) > 1 and options.token is not None:
        raise WrongViewer(
            f"one token can't be for {' and '.join(each.platform for each in takers)}: name one platform"
        )
    everywhere = Viewers({name: each.adapter for name, each in platforms.items()}, b"operator")
    resolved = everywhere.of(names, OPERATOR, Right.READ, RequestHeaders(list(_headers(takers, options)))).viewers
    if isinstance(resolved, Problem):
        raise WrongViewer(_in_options(resolved))
    return {name: _viewer(each) for name, each in resolved.items()}


def _headers(takers: Collection[Adapter], options: ViewerOptions) -> Iterator[tuple[bytes, bytes]]:
    """The request headers that say the same as the options."""
    if options.on_behalf is not None:
        yield ON_BEHALF_HEADER.lower().encode(), options.on_behalf.encode("latin-1", "replace")
    for each in takers:
        if options.token is not None:
            scheme = f"{each.TOKEN_SCHEMES[0]} " if each.TOKEN_SCHEMES else ""
            yield each.TOKEN_HEADER.lower().encode(), f"{scheme}{options.token.reveal()}".encode()


def _viewer(resolved: Viewer | Problem) -> Viewer:
    if isinstance(resolved, Problem):
        raise WrongViewer(f"platform {resolved.platform}: {_in_options(resolved)}")
    return resolved


def _in_options(problem: Problem) -> str:
    """What is wrong, in terms of the command line."""
    if problem.kind is Kind.MISSING_CREDENTIAL:
        return "expected the viewer's token, by --token-file or GATEWAY_TOKEN"
    return problem.detail.replace(ON_BEHALF_HEADER, ON_BEHALF_OPTION)
