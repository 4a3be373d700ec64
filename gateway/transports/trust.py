"""Which certificate authorities are trusted: a TLS context for each file of them, made anew when it changes."""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from adapters.settings import PlatformSettings
from gateway.config.settings import ConfigurationError

ENVIRONMENT: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""The variables that name authorities, the first that is set before the other: as httpx reads them."""


UNUSABLE: Final = f"{', '.join(ENVIRONMENT)}: expected certificates in PEM"


class CertificateSource(NamedTuple):
    """Where authorities come from: a platform's `ca_file`, a variable of the environment, or Mozilla's list."""

    key: str
    path: str | None


class Authorities(NamedTuple):
    context: ssl.SSLContext
    digest: bytes
    """of the content that `context` was made of"""


class TrustStore:
    """The authorities in force. Platforms with the same source share one context: loading one takes 50 ms."""

    def __init__(self) -> None:
        self._loaded: dict[CertificateSource, Authorities] = {}

    def context(self, settings: PlatformSettings) -> ssl.SSLContext:
        """The context for connections to this platform. Raises ConfigurationError where it can't be loaded."""
        source = source_of(settings)
        if source is None:
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it trusts nobody, and is never asked
        if source not in self._loaded:
            self._loaded[source] = _load(settings, _digest(settings, source))
        return self._loaded[source].context

    def changed(self, platforms: Iterable[PlatformSettings]) -> Mapping[CertificateSource, Authorities]:
        """The sources of these platforms whose content is not the one in force, loaded anew.

        Reads files, so it belongs into a thread. Raises ConfigurationError where one can't be loaded.
        """
        changed: dict[CertificateSource, Authorities] = {}
        for each in platforms:
            source = source_of(each)
            if source in self._loaded and source not in changed:
                digest = _digest(each, source)
                if digest != self._loaded[source].digest:
                    changed[source] = _load(each, digest)
        return changed

    def update(self, changed: Mapping[CertificateSource, Authorities]) -> None:
        self._loaded.update(changed)


def source_of(settings: PlatformSettings) -> CertificateSource | None:
    """None where no connection to this platform is encrypted."""
    if settings.ca_file is not None:
        return CertificateSource("ca_file", str(settings.ca_file))
    if not any(str(url).startswith("https:") for url in (settings.base_url, settings.login_url, settings.proxy)):
        return None
    variables = (CertificateSource(name, path) for name in ENVIRONMENT if (path := os.environ.get(name)))
    return next(variables, CertificateSource("certifi", None))


def _load(settings: PlatformSettings, digest: bytes) -> Authorities:
    """`digest` was taken before: if the content changes in between, the next look finds it changed."""
    if settings.ca_file is not None:
        return Authorities(settings.ca_file.tls_context(), digest)
    try:
        return Authorities(httpx.create_ssl_context(), digest)
    except (OSError, ssl.SSLError):
        raise ConfigurationError(UNUSABLE) from None


def _digest(settings: PlatformSettings, source: CertificateSource) -> bytes:
    """Of the file, or of all files in the folder with their names. Mozilla's list stays as it is.

    What is no file (a pipe, say) is left alone: it can be read only once.
    """
    digest = hashlib.sha256()
    if settings.ca_file is not None:
        digest.update(settings.ca_file.content.text.encode())
    elif source.path is not None:
        try:
            path = Path(source.path)
            for file in sorted(path.iterdir()) if path.is_dir() else [path]:
                if file.is_file():
                    digest.update(b"%s\0" % os.fsencode(file.name))
                    digest.update(hashlib.sha256(file.read_bytes()).digest())
        except OSError:
            raise ConfigurationError(UNUSABLE) from None
    return digest.digest()
