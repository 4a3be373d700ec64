"""Accept what is pending for three users, again and again, also after a restart of the gateway."""

import asyncio
import sys
from pathlib import Path

from connection_gateway import AsyncGateway, GatewayError, Problem, Status

USERS = [1, 103, 105]


async def accept_pending(view: AsyncGateway, user: int) -> None:
    async for pending in view.connections(platform="team", status=Status.PENDING_INCOMING):
        try:
            accepted = await view.act(pending, "accept")
        except Problem as problem:  # of this one: go on with the next
            print(user, pending.user_id, problem.slug, flush=True)
        else:
            print(user, accepted.user_id, accepted.status, flush=True)


async def work_for(view: AsyncGateway, user: int, pause: float) -> None:
    while True:
        try:
            await accept_pending(view, user)
        except GatewayError as error:  # a restart, or a platform that fails: the next round begins again
            print(user, error, file=sys.stderr, flush=True)
        await asyncio.sleep(pause)


async def main(url: str, api_key: str, pause: float) -> None:
    async with AsyncGateway(url, api_key=api_key) as gateway:
        await asyncio.gather(*(work_for(gateway.on_behalf_of(team=user), user, pause) for user in USERS))


asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_text().strip(), float(sys.argv[3])))
