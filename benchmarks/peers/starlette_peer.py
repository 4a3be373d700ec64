"""The endpoint as a team would write it with Starlette and httpx, and the standard library's json."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

POD = os.environ["UPSTREAM"] + "/pod"
STATUS = {
    "PENDING_INCOMING": "pending_incoming",
    "PENDING_OUTGOING": "pending_outgoing",
    "ACCEPTED": "connected",
    "REJECTED": "rejected",
}
ACTIONS = {
    "none": ["request"],
    "pending_incoming": ["accept", "reject"],
    "pending_outgoing": [],
    "connected": ["remove"],
    "rejected": ["request"],
}


def rfc3339(ms: int | None) -> str | None:
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    async with httpx.AsyncClient(limits=limits, timeout=2.0) as client:
        app.state.client = client
        yield


async def lookup(request: Request) -> JSONResponse:
    user_id = request.path_params["user_id"]
    answer = await app.state.client.get(
        f"{POD}/v1/connection/user/{user_id}/info",
        headers={"sessionToken": request.headers["sessionToken"], "Accept": "application/json"},
    )
    if answer.status_code not in {200, 404}:
        return JSONResponse({"error": "platform"}, 502)
    found = json.loads(answer.content) if answer.status_code == 200 else {}
    status = STATUS[found["status"]] if found else "none"
    return JSONResponse(
        {
            "platform": request.path_params["platform"],
            "user_id": str(user_id),
            "status": status,
            "native_status": found.get("status"),
            "actions": ACTIONS[status],
            "first_requested_at": rfc3339(found.get("firstRequestedAt")),
            "updated_at": rfc3339(found.get("updatedAt")),
            "request_count": found.get("requestCounter"),
            "as_of": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "stale": False,
        }
    )


app = Starlette(routes=[Route("/v1/connections/{platform}/{user_id:int}", lookup)], lifespan=lifespan)
