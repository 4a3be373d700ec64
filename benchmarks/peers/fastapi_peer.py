"""The endpoint as a team would write it with FastAPI, pydantic and httpx."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import httpx
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel, Field

POD = os.environ["UPSTREAM"] + "/pod"


class NativeStatus(StrEnum):
    PENDING_INCOMING = "PENDING_INCOMING"
    PENDING_OUTGOING = "PENDING_OUTGOING"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"


STATUS = {
    NativeStatus.PENDING_INCOMING: "pending_incoming",
    NativeStatus.PENDING_OUTGOING: "pending_outgoing",
    NativeStatus.ACCEPTED: "connected",
    NativeStatus.REJECTED: "rejected",
}
ACTIONS = {
    "none": ["request"],
    "pending_incoming": ["accept", "reject"],
    "pending_outgoing": [],
    "connected": ["remove"],
    "rejected": ["request"],
}


class UserConnection(BaseModel):
    user_id: int = Field(alias="userId")
    status: NativeStatus
    first_requested_at: int | None = Field(None, alias="firstRequestedAt")
    updated_at: int | None = Field(None, alias="updatedAt")
    request_counter: int | None = Field(None, alias="requestCounter")


class Connection(BaseModel):
    platform: str
    user_id: str
    status: str
    native_status: str | None
    actions: list[str]
    first_requested_at: str | None
    updated_at: str | None
    request_count: int | None
    as_of: str
    stale: bool


def rfc3339(ms: int | None) -> str | None:
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    async with httpx.AsyncClient(limits=limits, timeout=2.0) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/v1/connections/{platform}/{user_id}")
async def lookup(
    platform: str,
    user_id: int,
    session_token: Annotated[str, Header(alias="sessionToken")],
) -> Connection:
    answer = await app.state.client.get(
        f"{POD}/v1/connection/user/{user_id}/info",
        headers={"sessionToken": session_token, "Accept": "application/json"},
    )
    if answer.status_code == 404:
        found = None
    elif answer.status_code == 200:
        found = UserConnection.model_validate_json(answer.content)
    else:
        raise HTTPException(502)
    status = STATUS[found.status] if found else "none"
    return Connection(
        platform=platform,
        user_id=str(user_id),
        status=status,
        native_status=found.status if found else None,
        actions=ACTIONS[status],
        first_requested_at=rfc3339(found.first_requested_at) if found else None,
        updated_at=rfc3339(found.updated_at) if found else None,
        request_count=found.request_counter if found else None,
        as_of=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        stale=False,
    )
