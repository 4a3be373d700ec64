"""Uses that type checkers refuse: each line is an error, and without its error the line is one. Nothing runs this."""
# ruff: noqa: B018  what is wrong here is what is left unused

from __future__ import annotations

from connection_gateway import AsyncGateway, Connection, Gateway, Problem, Status
from connection_gateway.testing import FakeGateway


async def asynchronous(gateway: AsyncGateway, connection: Connection) -> None:
    gateway.lookup("acme", 1).status  # type: ignore[attr-defined]  # pyright: ignore
    for _ in gateway.connections():  # type: ignore[attr-defined]  # pyright: ignore
        pass
    await gateway.act(connection, "befriend")  # type: ignore[arg-type]  # pyright: ignore
    with gateway:  # type: ignore[attr-defined]  # pyright: ignore
        pass


def synchronous(gateway: Gateway, connection: Connection, problem: Problem, fake: FakeGateway) -> None:
    Gateway("http://127.0.0.1:8080", "key")  # type: ignore[call-arg]  # pyright: ignore
    gateway.lookup("acme")  # type: ignore[call-arg]  # pyright: ignore
    gateway.lookup(1, "acme")  # type: ignore[arg-type]  # pyright: ignore
    gateway.lookup("acme", 1.5)  # type: ignore[arg-type]  # pyright: ignore
    gateway.lookup("acme", None)  # type: ignore[arg-type]  # pyright: ignore
    gateway.lookup("acme", 1, 2.0)  # type: ignore[call-arg]  # pyright: ignore
    gateway.lookup_many(["acme"])  # type: ignore[list-item]  # pyright: ignore
    gateway.lookup_many([("acme", 1)])[0].status.value  # type: ignore[union-attr]  # pyright: ignore
    gateway.connections(status="friends")  # type: ignore[arg-type]  # pyright: ignore
    gateway.act(("acme", 1), action="poke")  # type: ignore[arg-type]  # pyright: ignore
    gateway.on_behalf_of("acme", 1)  # type: ignore[call-arg]  # pyright: ignore
    gateway.with_tokens(acme=1)  # type: ignore[arg-type]  # pyright: ignore
    connection.status = Status.NONE  # type: ignore[misc]  # pyright: ignore
    connection.name  # type: ignore[attr-defined]  # pyright: ignore
    problem.retry_after + 1  # type: ignore[operator]  # pyright: ignore
    fake.set("acme", 1, "connected")  # type: ignore[arg-type]  # pyright: ignore
