"""The webhook of a simulated community: a signed event for each change, and what can go wrong on its way."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from typing import Annotated, Final

import httpx
import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.selfcommunity.webhook import SelfCommunityWebhook, sign

PAUSES: Final = (5.0, 25.0, 125.0, 625.0, 3125.0)
"""Seconds before each repetition of an event that was not accepted."""


class Endpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where events are sent, and how badly.

    Each takes from 0 to `delay` seconds, at random, so that they overtake each other, and is sent `copies` times.
    `tamper`: its body is changed after it was signed.
    """

    url: str
    secret: str
    delay: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    copies: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    tamper: bool = False


_ENDPOINT: Final = msgspec.json.Decoder(Endpoint)


class Webhooks:
    """Sends nothing until there is an `endpoint`. In process, `transport` may take the network's place."""

    def __init__(self) -> None:
        self.endpoint: Endpoint | None = None
        self.transport: httpx.AsyncBaseTransport | None = None
        self.statuses: list[int] = []
        """what was answered"""
        self._ids = itertools.count(1)
        self._sending: set[asyncio.Task[None]] = set()
        self.controls = [
            Route("/_simulator/webhook", self._put, methods=["PUT"]),
            Route("/_simulator/webhook", self._delete, methods=["DELETE"]),
        ]

    def changed(self, event_type: str, from_user: int, to_user: int) -> None:
        if self.endpoint is None:
            return
        users = {"from_user": {"id": from_user}, "to_user": {"id": to_user}}
        event = {"event_id": next(self._ids), "type": event_type, "created": time.time(), "data": users}
        for _ in range(self.endpoint.copies):
            task = asyncio.get_running_loop().create_task(self._deliver(self.endpoint, msgspec.json.encode(event)))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _deliver(self, endpoint: Endpoint, body: bytes) -> None:
        await asyncio.sleep(random.uniform(0, endpoint.delay))  # noqa: S311
        for pause in (*PAUSES, None):
            sent_at = str(int(time.time()))
            signature = f"t={sent_at},v1={sign(endpoint.secret.encode(), sent_at, body)}"
            if await self._post(endpoint, signature, body) or pause is None:
                return
            await asyncio.sleep(pause)

    async def _post(self, endpoint: Endpoint, signature: str, body: bytes) -> bool:
        """Whether it was accepted."""
        sent = body.replace(b'"id":', b'"id": ') if endpoint.tamper else body
        headers = {SelfCommunityWebhook.SIGNATURE_HEADER: signature, "Content-Type": "application/json"}
        try:
            async with httpx.AsyncClient(transport=self.transport, trust_env=False) as client:
                answer = await client.post(endpoint.url, content=sent, headers=headers)
        except httpx.TransportError:
            return False
        self.statuses.append(answer.status_code)
        return answer.is_success

    async def _put(self, request: Request) -> Response:
        try:
            self.endpoint = _ENDPOINT.decode(await request.body())
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise HTTPException(400, str(error)) from error
        return Response(status_code=204)

    async def _delete(self, _request: Request) -> Response:
        self.endpoint = None
        return Response(status_code=204)
