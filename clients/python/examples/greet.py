"""Greet each of these users who becomes connected, as soon as it happens."""

import asyncio
import sys

from connection_gateway import AsyncGateway, Problem, Status


async def main(url: str, platform: str, *users: str) -> None:
    waiting: set[str] = set()
    async with AsyncGateway(url) as gateway:
        async for change in gateway.watch([(platform, user) for user in users]):
            if isinstance(change, Problem):
                print(change, file=sys.stderr)
            elif change.status is not Status.CONNECTED:
                waiting.add(change.user_id)
                print("waiting for", change.user_id, flush=True)
            elif change.user_id in waiting:
                waiting.remove(change.user_id)
                print("welcome,", change.user_id, flush=True)


asyncio.run(main(*sys.argv[1:]))
