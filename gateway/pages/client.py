"""The JavaScript client that web pages load from the gateway: the files of the npm package as they stand."""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import msgspec

NAMES: Final = ("element.js", "gateway.js", "watch.js")
"""In one folder, because they import each other by relative addresses."""


class ClientFile(msgspec.Struct, frozen=True):
    """A file, its entity tag, and the value of the `integrity` attribute that admits nothing else."""

    content: bytes
    gzipped: bytes
    etag: str
    integrity: str


@functools.cache
def files() -> Mapping[str, ClientFile]:
    """Each file by its name."""
    return {name: _file(_folder().joinpath(name).read_bytes()) for name in NAMES}


@functools.cache
def version() -> str:
    """A digest of all files, which is part of their immutable addresses."""
    digest = hashlib.sha256(b"".join(each.content for each in files().values()))
    return digest.hexdigest()[:16]


def _file(content: bytes) -> ClientFile:
    digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
    gzipped = gzip.compress(content, compresslevel=9, mtime=0)
    return ClientFile(content, gzipped, f'W/"{hashlib.sha256(content).hexdigest()[:24]}"', f"sha384-{digest}")


def _folder() -> Traversable:
    """Inside the wheel; in a checkout, the npm package itself."""
    packaged = resources.files(__name__.rpartition(".")[0]).joinpath("client")
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "clients" / "javascript"
