"""What every platform's table in the configuration says, whatever its adapter. Each adapter adds its own."""

from __future__ import annotations

import re
from typing import Annotated, Final

import httpx
import msgspec

_BASE_URL: Final = re.compile(
    r"https?://"
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_-]{1,63})*)"  # an address or a name
    r"(:[0-9]{1,5})?"
    r"(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?"
)

PlatformName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z")]


class BaseUrl(str):
    """An absolute http or https URL without user, query or fragment; may carry a path. No slash at its end."""

    __slots__ = ()

    def __new__(cls, text: str) -> BaseUrl:
        """Raise ValueError where `text` is no such URL."""
        if not _BASE_URL.fullmatch(text) or not _is_usable(text):
            raise ValueError("expected an absolute http or https URL without user, query or fragment")
        return super().__new__(cls, text.rstrip("/"))


def _is_usable(url: str) -> bool:
    """What a pattern can't say: whether httpx takes it (addresses), and whether the port exists."""
    try:
        port = httpx.URL(url).port
    except httpx.InvalidURL:
        return False
    return port is None or 0 < port < 65536


class PlatformSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every platform's table in the configuration says, whatever its adapter."""

    base_url: BaseUrl
    credentials: msgspec.Struct
    """one tagged struct for each credential mode; an adapter narrows this to its own"""

    @property
    def mode(self) -> str:
        """The credential mode, as the configuration spells it. In mode `caller` we hold no credential."""
        return str(self.credentials.__struct_config__.tag)
