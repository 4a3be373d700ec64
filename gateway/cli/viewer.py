"""As whom the commands `lookup`, `list` and `act` ask."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from adapters.contract import Viewer
from adapters.secret import RedactedRepr, Token
from adapters.settings import ViewerSource
from gateway.auth.on_behalf import NO_VIEWERS, OnBehalf
from gateway.config.settings import Settings
from gateway.platforms.platform import Platform


class ViewerOptions(RedactedRepr, msgspec.Struct, frozen=True):
    """As whom the operator asks, where our own credential does not say it: with a viewer's token, or on behalf."""

    token: Token | None = None
    on_behalf: str | None = None
    """as in the header: `123`, or `acme=123, club=7`"""


class WrongViewer(Exception):
    """A platform is to be told as whom it is asked and was not, or in a way that it does not take."""


def viewers(
    settings: Settings, platforms: Mapping[str, Platform], names: Collection[str], seen_as: ViewerOptions
) -> Mapping[str, Viewer]:
    """One token is for one platform: it travels to no other. Nothing is used up that the service needs."""
    for name in names:
        if settings.platforms[name].credentials.is_good_once:
            raise WrongViewer(
                f"platform {name}: to ask would use up its refresh token for good, because a new one can't be kept"
            )
    sources = {name: platforms[name].adapter.viewer_source for name in names}
    callers = [name for name in names if sources[name] is ViewerSource.CALLER]
    if callers and seen_as.token is None:
        raise WrongViewer(f"platform {callers[0]} wants the viewer's token: --token-file or GATEWAY_TOKEN")
    if len(callers) > 1:
        raise WrongViewer(f"one token can't be for {' and '.join(callers)}: name one platform")
    on_behalf = _on_behalf(platforms, sources, seen_as.on_behalf)
    viewers: dict[str, Viewer] = {}
    for name, source in sources.items():
        match source:
            case ViewerSource.CALLER:
                viewers[name] = Viewer(name, b"operator", seen_as.token)
            case ViewerSource.NAMED:
                viewers[name] = Viewer.named(name, on_behalf[name])
            case ViewerSource.OWN:
                viewers[name] = Viewer.own(name)
    return viewers


def _on_behalf(
    platforms: Collection[str], sources: Mapping[str, ViewerSource], text: str | None
) -> Mapping[str, int]:
    """The viewer for each platform that is asked as a named one, and for no other."""
    try:
        given = NO_VIEWERS if text is None else OnBehalf.parse(text, platforms)
    except ValueError as error:
        raise WrongViewer(f"--on-behalf-of: {error}") from error
    taking = [name for name, source in sources.items() if source is ViewerSource.NAMED]
    beside = [name for name in given.by_platform if name in sources and name not in taking]
    if beside or (given.everywhere is not None and not taking):
        raise WrongViewer(f"--on-behalf-of: {' and '.join(beside or sources)} is asked on behalf of nobody")
    named: dict[str, int] = {}
    for name in taking:
        user_id = given.of(name)
        if user_id is None:
            raise WrongViewer(f"platform {name} wants a viewer: --on-behalf-of USER_ID")
        named[name] = user_id
    return named
