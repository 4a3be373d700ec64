"""Turns responses with a status other than 200 into PlatformErrors, as far as platforms agree on their meaning.

A firewall, proxy or load balancer may send a 403 or 404 in the platform's place. Such a response says nothing about
the connection, so these statuses count only with the platform's own error body. What a 404 means differs between
platforms: each adapter decides it in the `case 404` of its `adapter.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import httpx
import msgspec

from adapters.contract import ActionFailed, ActionRefused, PlatformError
from adapters.upstream import Upstream

T = TypeVar("T")
ACTION_REFUSALS: Final = frozenset({400, 404, 409, 410, 412, 422, 423})
"""Statuses with which platforms refuse an action because of the state that the connection is in."""


class ErrorResponses:
    """Of one platform: `is_own` says whether a body is its own error body, `forbidden` what its 403 means."""

    def __init__(self, upstream: Upstream, is_own: Callable[[httpx.Response], bool], forbidden: str) -> None:
        self._upstream = upstream
        self._is_own = is_own
        self._forbidden = forbidden

    def expect(self, response: httpx.Response, decoder: msgspec.json.Decoder[T]) -> T:
        """The decoded body of a 200; any other status raises what it means."""
        if response.status_code != httpx.codes.OK:
            raise self.failure(response)
        return self._upstream.decode(response, decoder)

    def check_own(self, response: httpx.Response) -> None:
        """Raises InvalidAnswer, which names the status, for an error that is not the platform's own."""
        if not self._is_own(response):
            raise self._upstream.foreign_error(response)

    def failure(self, response: httpx.Response) -> PlatformError:
        """What a status means that the adapter gives no meaning of its own."""
        if response.status_code == httpx.codes.FORBIDDEN and not self._is_own(response):
            return self._upstream.foreign_error(response)
        return self._upstream.failure(response, self._forbidden)

    def failed_action(self, response: httpx.Response) -> PlatformError:
        """What the answer to an action means that is not a 200."""
        status, platform = response.status_code, self._upstream.platform
        if status in ACTION_REFUSALS:
            if not self._is_own(response):
                return self._upstream.foreign_error(response)
            return ActionRefused(platform, f"the platform refused the action ({status})")
        if status == httpx.codes.INTERNAL_SERVER_ERROR and self._is_own(response):
            return ActionFailed(platform, "the platform answered 500", may_have_acted=True)
        return self.failure(response)
