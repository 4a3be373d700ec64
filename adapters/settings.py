"""What every platform's table in the configuration says, whatever its adapter. Each adapter adds its own."""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec

_BASE_URL: Final = re.compile(r"https?://[A-Za-z0-9._\-\[\]:]+(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?")

PlatformName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z")]


class BaseUrl(str):
    """An absolute http or https URL without user, query or fragment; may carry a path. No slash at its end."""

    __slots__ = ()

    def __new__(cls, text: str) -> BaseUrl:
        """Raise ValueError where `text` is no such URL."""
        if not _BASE_URL.fullmatch(text) or not _has_valid_port(text):
            raise ValueError("expected an absolute http or https URL without user, query or fragment")
        return super().__new__(cls, text.rstrip("/"))


def _has_valid_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


class PlatformSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every platform's table in the configuration says, whatever its adapter."""

    base_url: BaseUrl
    credentials: msgspec.Struct
    """one tagged struct for each credential mode; an adapter narrows this to its own"""

    @property
    def mode(self) -> str:
        """The credential mode, as the configuration spells it. In mode `caller` we hold no credential."""
        return str(self.credentials.__struct_config__.tag)
