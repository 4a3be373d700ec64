"""Origins of web pages, as browsers send them in the `Origin` header."""

from __future__ import annotations

import re
from typing import Final, Self

_IPV6: Final = r"\[[0-9a-f:.]+\]"
_WEB: Final = re.compile(rf"(https?)://([a-z0-9._-]+|{_IPV6})(:[0-9]{{1,5}})?")
_APP: Final = re.compile(rf"([a-z][a-z0-9+.-]*)://([A-Za-z0-9._~%-]+|{_IPV6})(:[0-9]{{1,5}})?")
"""Pages of apps and browser extensions: their schemes have no default port, and their hosts keep their case."""
_FILES: Final = "file://"
"""Pages of Cordova apps. A browser sends `null` for files, and for any page that hides where it is from."""
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
_NOT_OF_APPS: Final = frozenset({"http", "https", "file", "ftp", "ws", "wss"})


class Origin(str):
    """An origin as browsers send it: scheme, name and, unless it is the scheme's own, port."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raise ValueError where `text` is none."""
        if text != _FILES and not (_is_of_web(text) or _is_of_app(text)):
            raise ValueError("expected an origin as browsers send it, such as https://www.example.com")
        return super().__new__(cls, text)


def _is_of_web(text: str) -> bool:
    found = _WEB.fullmatch(text)
    return found is not None and found[3] != _DEFAULT_PORTS[found[1]]


def _is_of_app(text: str) -> bool:
    found = _APP.fullmatch(text)
    return found is not None and found[1] not in _NOT_OF_APPS
