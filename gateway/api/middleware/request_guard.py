"""Guards every route: trusted origins, authentication, rates, admission, and the body."""

from __future__ import annotations

from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.loop import OneLoop
from gateway.api.context import API, REQUEST_CONTEXT, RequestContext
from gateway.api.middleware.admission import Admission
from gateway.api.middleware.body import read_body
from gateway.api.middleware.trusted_origins import TrustedOrigins
from gateway.api.request_record import REQUEST_RECORD, RequestRecord
from gateway.auth.authorization import ANONYMOUS
from gateway.auth.principal import Principal
from gateway.auth.rate_limits import SECOND, RateLimit, RateLimits, header_fields, refusal
from gateway.auth.request_headers import RequestHeaders
from gateway.problems.problem import Kind, Problem
from gateway.runtime.snapshot import Snapshot, Snapshots
from gateway.server.extensions import LET_IN, MAX_BODY, REFUSED

CLOSING: Final = {"connection": "close"}
PROBES: Final = frozenset({"/livez", "/readyz", "/metrics"})
"""Paths that are asked for by address, by whatever runs or scrapes the gateway, so that any `Host` is answered."""


EVENTS: Final = "/v1/events/"
"""How the paths begin that platforms send their events to: the signature is the key, and any `Host` is answered."""
MAX_EVENT: Final = 64 * 1024
"""Bytes of an event, which is read before anybody knows who has sent it."""


class RequestGuard(OneLoop):
    """Checks host and origin, then the caller's key, its rate, and whether there is room, then reads the body.

    Whose it is, is asked again after a wait for its rate or its body: a key that was revoked meanwhile is no longer
    good, and the request runs in the snapshot that is current when it begins. Deadlines count from then.
    """

    def __init__(
        self,
        app: ASGIApp,
        trusted_origins: TrustedOrigins,
        snapshots: Snapshots,
        admission: Admission,
        rate_limits: RateLimits,
    ) -> None:
        self._app = app
        self._admission = admission
        self._trusted_origins = trusted_origins
        self._snapshots = snapshots
        self._rate_limits = rate_limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if REFUSED in scope:
                raise Problem(Kind.INVALID_REQUEST, scope[REFUSED], headers={"connection": "close"})
            record: RequestRecord = scope[REQUEST_RECORD]
            is_api = _needs_key(scope["path"])
            snapshot, principal = self._let_in(scope, record, is_api=is_api)
            if is_api and (limit := principal.caller.limit) is not None:
                await self._take(limit, record)
            if scope["method"] == "POST":
                if is_api:
                    self._admission.check(CLOSING)  # its body is not waited for
                try:
                    receive = await read_body(receive, MAX_EVENT if _is_event(scope["path"]) else MAX_BODY)
                except ClientDisconnect:
                    return
            if snapshot is not self._snapshots.current:
                snapshot, principal = self._let_in(scope, record, is_api=is_api)
            scope[REQUEST_CONTEXT] = RequestContext(
                snapshot,
                principal,
                record.headers,
                record.request_id,
                self._loop.time(),
                record.is_traced,
                record,
            )
            if is_api:
                with self._admission:
                    await self._app(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _take(self, limit: RateLimit, record: RequestRecord) -> None:
        """Count the request against its caller's rate. Raises the Problem `rate-limited`."""
        allowance = await self._rate_limits.take(limit, int(self._loop.time() * SECOND))
        record.rate_limit = header_fields(limit, allowance)
        if not allowance.allowed:
            raise refusal(allowance)

    def _let_in(self, scope: Scope, record: RequestRecord, *, is_api: bool) -> tuple[Snapshot, Principal]:
        snapshot = self._snapshots.current
        principal = snapshot.principals.get(record.headers) if is_api else None
        if principal is None:
            principal = self._principal(snapshot, record.headers, scope, is_api=is_api)
        if is_api and LET_IN in scope:
            scope[LET_IN]()
        if b"%" in (scope.get("raw_path") or b""):
            raise Problem(Kind.NOT_FOUND, "no path of this gateway contains a %")
        record.caller = principal.caller.name
        record.claimed_viewers = principal.claimed_viewers
        return snapshot, principal

    def _principal(self, snapshot: Snapshot, headers: RequestHeaders, scope: Scope, *, is_api: bool) -> Principal:
        """Every call of the API needs a key, if there are callers; probes and pages need none."""
        if scope["path"] in PROBES or _is_event(scope["path"]):
            self._trusted_origins.check_probe(headers, scope["http_version"])
            return Principal(ANONYMOUS, {})
        self._trusted_origins.check_host(headers)
        if not is_api:
            return Principal(ANONYMOUS, {})
        self._trusted_origins.check_page(headers)
        principal = Principal(snapshot.callers.of(headers), snapshot.viewers.claimed_viewers(headers))
        snapshot.principals.keep(headers, principal)
        return principal


def _needs_key(path: str) -> bool:
    return path.startswith(API) and not _is_event(path)


def _is_event(path: str) -> bool:
    return path.startswith(EVENTS)
