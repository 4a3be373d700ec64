"""Checks `Host`, `Origin` and `Sec-Fetch-Site`: protection from DNS rebinding and from foreign pages.

An open gateway (one without callers' keys) is protected by being reachable from this machine alone. A browser on
this machine is inside, and runs pages from anywhere. So there a `Host` that is not ours gets nothing: a page can
point its own name at 127.0.0.1 (DNS rebinding), but it has no key. No gateway lets a page call `/v1` but
its own and those of `cors_origins`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from gateway.auth.request_headers import RequestHeaders
from gateway.config.origin import Origin
from gateway.config.settings import HostName, is_loopback
from gateway.problems.problem import Kind, Problem
from gateway.runtime.snapshot import Snapshots

SITE: Final = "Sec-Fetch-Site"
"""Which a page can't set: its browser says how near the page's origin is to whom it calls."""
_NEAR: Final = frozenset({"same-origin", "same-site", "none"})
"""Its words for what is no other site. None of them lets a page of another origin in."""
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class TrustedOrigins:
    """Refuses requests by these headers, before anything else is looked at."""

    def __init__(
        self,
        hosts: Iterable[HostName],
        origins: Iterable[Origin],
        snapshots: Snapshots,
        *,
        any_host: bool = False,
    ) -> None:
        """`hosts` are answered to beside loopback names, and pages of `origins` may call, beside our own.

        `any_host`: it listens on a Unix socket, which no browser reaches, so that no name needs to be looked at.
        """
        self._any_host = any_host
        self._hosts = frozenset(hosts)
        self._origins = frozenset(origins)
        self._snapshots = snapshots

    def check_host(self, headers: RequestHeaders) -> None:
        """Raise the Problem of a request that is meant for somebody else, or does not say for whom."""
        named = _read_host(headers)
        if self._any_host or not self._snapshots.current.callers.open:
            return
        if not named.is_loopback and named.name not in self._hosts:
            raise Problem(Kind.NOT_ALLOWED, "Host: expected a loopback name, or one of server.hosts")

    @staticmethod
    def check_probe(headers: RequestHeaders, http_version: str) -> None:
        """Raise the Problem of a malformed `Host`, or of none where HTTP demands one (RFC 9112, 3.2)."""
        if http_version != "1.0" or headers.has("host"):
            _read_host(headers)

    def check_page(self, headers: RequestHeaders) -> None:
        """Raise the Problem of a request that the page of somebody else has made."""
        origins = headers.every("origin")
        sites = {part.partition(";")[0].strip().lower() for each in headers.every(SITE) for part in each.split(",")}
        if sites == {"same-origin"}:  # the browser has compared the two, before any proxy rewrote Host
            return
        if sites - _NEAR and not (origins and self._origins.issuperset(origins)):
            raise Problem(Kind.NOT_ALLOWED, "Sec-Fetch-Site: a page of another site may not call this gateway")
        for origin in origins:
            if origin not in self._origins and not _is_own(origin, headers.last("host") or ""):
                raise Problem(Kind.NOT_ALLOWED, "Origin: a page of another origin may not call this gateway")


class _Host(NamedTuple):
    name: str
    is_loopback: bool


def _read_host(headers: RequestHeaders) -> _Host:
    given = headers.once("host")
    named = None if given is None else _named(given)
    if named is None:
        raise Problem(Kind.INVALID_REQUEST, "Host: expected once, a name or address with or without a port")
    return named


@functools.lru_cache(maxsize=256)
def _named(host: str) -> _Host | None:
    """What a `Host` header names. Few do others than before, and to look at an address costs 3 µs."""
    authority = _AUTHORITY.fullmatch(host)
    if authority is None:
        return None
    name = authority[1].strip("[]").lower()
    return _Host(name, is_loopback(name))


def _is_own(origin: str, host: str) -> bool:
    """Same name and port. A proxy in front may end TLS, so the scheme is taken from the origin."""
    scheme, _, authority = origin.partition("://")
    default = _DEFAULT_PORTS.get(scheme)
    return default is not None and _name_and_port(authority, default) == _name_and_port(host, default)


def _name_and_port(authority: str, default: int) -> tuple[str, int] | None:
    found = _AUTHORITY.fullmatch(authority)
    return found and (found[1].lower(), int(found[2] or default))
