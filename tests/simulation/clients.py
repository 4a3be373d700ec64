"""How each simulated platform is asked, and how its faults are set."""

from __future__ import annotations

from typing import Any

import httpx

TOKEN = {"symphony": {"sessionToken": "demo"}, "selfcommunity": {"Authorization": "Bearer demo"}}
STATUS = {
    "symphony": "/pod/v1/connection/user/{}/info",
    "selfcommunity": "/api/v2/user/{}/connection_status/",
}
ME = {"symphony": "/pod/v2/sessioninfo", "selfcommunity": "/api/v2/user/me/"}


async def set_faults(client: httpx.AsyncClient, *faults: dict[str, Any]) -> None:
    answer = await client.put("/_simulator/faults", json=list(faults) if len(faults) != 1 else faults[0])
    assert answer.status_code == 204
