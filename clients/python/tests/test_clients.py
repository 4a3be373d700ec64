"""Both faces against the real gateway, as a process."""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from connection_gateway import (
    AsyncGateway,
    Connection,
    Gateway,
    GatewayUnreachable,
    Problem,
    Status,
    UnexpectedAnswer,
)
from connection_gateway.problems import UnknownPlatform
from connection_gateway.protocol import Answer, read

from tests.docs.served import demo

CLIENT = Path(__file__).parent.parent


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with demo(0) as found:
        yield found


async def test_a_lookup_and_an_action(url: str) -> None:
    async with AsyncGateway(url) as gateway:
        await gateway.wait_ready()
        async for pending in gateway.connections(status=Status.PENDING_INCOMING):
            assert (await gateway.act(pending, "accept")).status is Status.CONNECTED
            assert (await gateway.lookup(pending.platform, pending.user_id)).status is Status.CONNECTED
        assert [each async for each in gateway.connections(status=Status.PENDING_INCOMING)] == []
        assert {each.name for each in await gateway.platforms()} == {"symphony", "community"}


async def test_the_example_of_its_page(url: str) -> None:
    page = (CLIENT.parent.parent / "docs" / "clients" / "python.md").read_text()
    program = page.partition("```python\n")[2].partition("```")[0]
    program = program.replace("http://127.0.0.1:8080", url).replace('"acme", 769658112378', '"symphony", 101')
    program = program.replace("…", "any: the demo knows no callers".replace(" ", "-"))
    found: dict[str, object] = {}
    await eval(compile(program, "python.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), found)  # noqa: S307
    assert isinstance(found["connection"], Connection)
    with Gateway(url) as gateway:
        assert list(gateway.connections(status=Status.PENDING_INCOMING)) == []


async def test_a_gather_is_one_request_and_each_has_its_own_result(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    request = httpx.AsyncClient.request

    async def counted(self: httpx.AsyncClient, method: str, url: str, **rest: object) -> httpx.Response:
        sent.append(method)
        return await request(self, method, url, **rest)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(httpx.AsyncClient, "request", counted)
    async with AsyncGateway(url) as gateway:
        asked = [gateway.lookup("community", user) for user in range(1, 1000)] + [gateway.lookup("nowhere", 1)]
        results = await asyncio.gather(*asked, return_exceptions=True)
        lone = await gateway.lookup("community", 102)
    assert sent == ["POST", "GET"]
    assert isinstance(results[-1], UnknownPlatform)
    told = [each.user_id for each in results[:-1] if isinstance(each, Connection | Problem)]
    assert told == [str(user) for user in range(1, 1000)]
    assert lone.user_id == "102"


async def test_the_synchronous_face(url: str) -> None:
    def ask() -> list[Connection | Problem]:
        with Gateway(url) as gateway:
            gateway.wait_ready()
            list(gateway.connections())
            return [gateway.lookup("symphony", "103"), *gateway.lookup_many([("nowhere", 1), ("community", 102)])]

    first, second, third = await asyncio.to_thread(ask)
    assert isinstance(first, Connection)
    assert isinstance(second, UnknownPlatform)
    assert isinstance(third, Connection)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("accept_pending", [], "connected\nconnected\n"),
        ("check_before_sending", ["101"], "send\n"),
        ("check_before_sending", ["103"], "don't send: pending_outgoing\n"),
        (
            "who_is_pending",
            [],
            "symphony 102 2016-08-01T02:21:13.812Z\ncommunity 102 2026-01-05T09:30:00.123Z\n",
        ),
    ],
)
async def test_an_example(url: str, name: str, arguments: list[str], expected: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CLIENT / f"examples/{name}.py"),
        url,
        *arguments,
        env={**os.environ, "PYTHONPATH": str(CLIENT)},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    assert said.decode() == expected


@pytest.mark.parametrize("wrong", [0, -1, 2**63, "01", "x", "", "1\n", True])
async def test_what_can_be_no_user_id_is_never_sent(wrong: int | str) -> None:
    async with AsyncGateway("http://127.0.0.1:1") as gateway:
        with pytest.raises(ValueError, match="user id"):
            await gateway.lookup("acme", wrong)


async def test_a_gateway_that_is_not_there() -> None:
    async with AsyncGateway("http://127.0.0.1:1", timeout=0.2) as gateway:
        with pytest.raises(GatewayUnreachable, match="is it running"):
            await gateway.lookup("acme", 1)


@pytest.mark.parametrize("wrong", ["", "a key", "ü", "…", "key\n", "a\x00"])
def test_a_key_that_no_header_could_carry_is_refused(wrong: str) -> None:
    for face in (Gateway, AsyncGateway):
        with pytest.raises(ValueError, match="api_key"):
            face("http://127.0.0.1:1", api_key=wrong)


def test_no_secret_is_printed() -> None:
    with Gateway("http://127.0.0.1:1", api_key="hush") as gateway:
        view = gateway.with_tokens(acme="whisper")
        assert not {"hush", "whisper"} & set(repr((view, view._identity)).replace("'", " ").split())  # noqa: SLF001  its secrets


def test_a_page_of_a_proxy_is_an_unexpected_answer() -> None:
    with pytest.raises(UnexpectedAnswer, match="status 502"):
        read(Answer(502, None, b"<html>"), Connection)


async def test_a_unix_socket(url: str) -> None:
    """The demo has none, so what arrives at one is handed on to it, byte by byte."""

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        await asyncio.gather(copied(reader, far_writer), copied(far_reader, writer))

    with tempfile.TemporaryDirectory() as folder:
        server = await asyncio.start_unix_server(hand_on, f"{folder}/gateway.sock")
        async with server, AsyncGateway(f"unix:{folder}/gateway.sock") as gateway:
            assert (await gateway.lookup("symphony", 103)).user_id == "103"


async def copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65536):
        writer.write(part)
    writer.close()
    await writer.wait_closed()


def test_both_faces_have_the_same_methods() -> None:
    def methods(face: type) -> dict[str, tuple[list[str], str | None]]:
        return {
            name.replace("aclose", "close"): (list(inspect.signature(each).parameters), each.__doc__)
            for name, each in inspect.getmembers(face, inspect.isfunction)
            if not name.startswith("_")
        }

    assert methods(Gateway) == methods(AsyncGateway)
