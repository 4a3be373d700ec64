"""Authentication: whose key or token this is.

Without callers in the configuration the gateway is open: everybody may do everything that needs no name. The
configuration sees to it that nothing can be reached then which could speak for others.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from gateway.auth.authorization import ANONYMOUS, Caller
from gateway.auth.caller_tokens import RefusedToken, SignedToken, TokenVerifier
from gateway.auth.rate_limits import RateLimit
from gateway.auth.request_headers import RequestHeaders
from gateway.config.caller_settings import CallerSettings
from gateway.problems.problem import Kind, Problem

KEY_HEADER: Final = "X-API-Key"


class Callers:
    """The configured callers, or nobody: then the gateway is `open`."""

    def __init__(self, settings: Iterable[CallerSettings]) -> None:
        self._keys: list[tuple[str, Caller]] = []
        self._verifiers: dict[str, tuple[TokenVerifier, Caller]] = {}
        for each in settings:
            caller = Caller(
                name=each.name,
                rights=frozenset(each.may),
                platforms=None if each.platforms is None else frozenset(each.platforms),
                grants=each.on_behalf_of,
                limit=None if each.rate is None else RateLimit.of(each.name, each.rate, each.burst),
            )
            self._keys += [(digest, caller) for digest in each.digests]
            if each.jwt_key_file is not None and each.jwt_issuer is not None and each.jwt_audience is not None:
                self._verifiers[each.jwt_issuer] = TokenVerifier(each.jwt_key_file, each.jwt_audience), caller
        self.open = not self._keys and not self._verifiers

    def of(self, headers: RequestHeaders) -> Caller:
        """Whose key or token this is. Raises the Problem `invalid-api-key`.

        All keys are compared, each in the same time wherever it differs, so that how long it takes tells nothing.
        """
        if self.open:
            return ANONYMOUS
        key = headers.single(KEY_HEADER)
        if not key:
            raise Problem(Kind.INVALID_API_KEY, f"expected the caller's key in {KEY_HEADER}")
        given = key_digest(key)
        found = [caller for digest, caller in self._keys if compare_digest(digest, given)]
        caller = found[0] if found else self._of_token(key)
        if caller is None:
            raise Problem(Kind.INVALID_API_KEY, f"{KEY_HEADER}: no caller has this key")
        return caller

    def _of_token(self, text: str) -> Caller | None:
        """The caller that has signed this token; None where it is no token, or nobody's."""
        if not self._verifiers:
            return None
        try:
            token = SignedToken(text)
        except ValueError:
            return None
        found = self._verifiers.get(token.issuer)
        if found is None:
            return None
        verifier, caller = found
        try:
            claims = verifier.verify(token, time.time())
        except RefusedToken as refused:
            raise Problem(Kind.INVALID_API_KEY, f"{KEY_HEADER}: the token is not good here: {refused}") from None
        return None if claims is None else caller.narrowed(claims)


def key_digest(key: str) -> str:
    """As the configuration has it: SHA-256 in hexadecimal digits, of the key as it travels in a header."""
    return sha256(key.encode("latin-1")).hexdigest()
