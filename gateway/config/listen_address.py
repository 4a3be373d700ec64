"""An address to listen on, written as `host:port` or `[host]:port`."""

from __future__ import annotations

import re
from typing import Final, Self

_WRITTEN: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s\[\]:]+):([0-9]{1,5})", re.ASCII)


class ListenAddress(str):
    """A host and a port."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raise ValueError where `text` is none."""
        found = _WRITTEN.fullmatch(text)
        if found is None or not 0 < int(found[2]) < 65536:
            raise ValueError('expected an address and a port, such as "127.0.0.1:9464" or "[::]:9464"')
        return super().__new__(cls, text)

    @property
    def host(self) -> str:
        return self.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.rpartition(":")[2])
