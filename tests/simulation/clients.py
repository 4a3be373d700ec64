"""How each simulated platform is asked, and how its faults are set."""

from __future__ import annotations

import time
import uuid
from typing import Any

import httpx
import jwt

from adapters.selfcommunity.simulator import SECRET
from adapters.simulation import private_key

KEY = private_key()
TOKEN = {"symphony": {"sessionToken": "demo"}, "selfcommunity": {"Authorization": "Bearer demo"}}
STATUS = {
    "symphony": "/pod/v1/connection/user/{}/info",
    "selfcommunity": "/api/v2/user/{}/connection_status/",
}
FIELD = {"symphony": "status", "selfcommunity": "connection_status"}
ME = {"symphony": "/pod/v2/sessioninfo", "selfcommunity": "/api/v2/user/me/"}


async def set_faults(client: httpx.AsyncClient, *faults: dict[str, Any]) -> None:
    answer = await client.put("/_simulator/faults", json=list(faults) if len(faults) != 1 else faults[0])
    assert answer.status_code == 204


async def status(client: httpx.AsyncClient, adapter: str, user: int, **headers: str) -> str | None:
    """Where the viewer, `demo` unless `headers` say otherwise, stands with this user, in the platform's word."""
    answer = await client.get(STATUS[adapter].format(user), headers=headers)
    found: str | None = None if answer.status_code == 404 else answer.json()[FIELD[adapter]]
    return found


async def both_sides(client: httpx.AsyncClient, adapter: str, user: int) -> tuple[str | None, str | None]:
    """What viewer 1 and this user say of each other."""
    theirs = await token_of(client, adapter, user)
    return await status(client, adapter, user), await status(client, adapter, 1, **theirs)


async def token_of(client: httpx.AsyncClient, adapter: str, user: int) -> dict[str, str]:
    """The header with which a seeded user asks."""
    if adapter == "selfcommunity":
        return {"Authorization": f"Bearer {community_jwt(user_id=user)}"}
    login = await client.post("/login/pubkey/authenticate", json={"token": pod_jwt(sub=f"user-{user}")})
    return {"sessionToken": login.json()["token"]}


def pod_jwt(algorithm: str = "RS512", key: str = KEY, **claims: Any) -> str:
    return jwt.encode({"sub": "demo", "exp": int(time.time()) + 290} | claims, key, algorithm=algorithm)


def community_jwt(secret: str = SECRET, **claims: Any) -> str:
    """A claim that is None is left out."""
    now = int(time.time())
    whole = {"user_id": 101, "token_type": "access", "jti": uuid.uuid4().hex, "iat": now, "exp": now + 60} | claims
    return jwt.encode({name: value for name, value in whole.items() if value is not None}, secret, algorithm="HS256")
