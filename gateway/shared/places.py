"""What a platform and its credential are, as all replicas know them."""

from __future__ import annotations

import msgspec

from adapters import adapter_name
from adapters.secret import Secret
from adapters.settings import PlatformSettings


def place(name: str, settings: PlatformSettings) -> tuple[bytes, ...]:
    return name.encode(), adapter_name(settings).encode(), settings.base_url.encode()


def fingerprint(settings: PlatformSettings) -> bytes:
    """What the credential is, and where it logs in."""
    parts = [settings.mode, settings.login_url, settings.credentials.lasting]
    return msgspec.msgpack.encode(parts, enc_hook=_revealed)


def _revealed(secret: object) -> str:
    if not isinstance(secret, Secret):
        raise TypeError(f"no secret: {type(secret).__name__}")
    return secret.reveal()
