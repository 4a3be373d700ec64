"""Accept every pending request, over all platforms."""

import asyncio
import sys

from connection_gateway import AsyncGateway, Status


async def main(url: str) -> None:
    async with AsyncGateway(url) as gateway:
        async for pending in gateway.connections(status=Status.PENDING_INCOMING):
            print((await gateway.act(pending, "accept")).status)


asyncio.run(main(sys.argv[1]))
