"""Both faces against the real gateway, as a process."""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import sys
from collections.abc import Iterator
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
from connection_gateway.demo import demo
from connection_gateway.problems import UnknownPlatform
from connection_gateway.protocol import Answer, read

from tests.clients.gateway_process import LONGEST

CLIENT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A demo whose connections nobody changes."""
    with demo() as running:
        yield running.url


@pytest.fixture
def own() -> Iterator[str]:
    """A demo of the test's own."""
    with demo() as running:
        yield running.url


async def test_a_lookup_and_an_action(own: str) -> None:
    async with AsyncGateway(own) as gateway:
        await gateway.wait_ready()
        async for pending in gateway.connections(status=Status.PENDING_INCOMING):
            assert (await gateway.act(pending, "accept")).status is Status.CONNECTED
            assert (await gateway.lookup(pending.platform, pending.user_id)).status is Status.CONNECTED
        assert [each async for each in gateway.connections(status=Status.PENDING_INCOMING)] == []
        assert {each.name for each in await gateway.platforms()} == {"symphony", "community", "site"}


async def test_the_example_of_its_page(own: str) -> None:
    page = (CLIENT.parent.parent / "docs" / "clients" / "python.md").read_text()
    program = page.partition("```python\n")[2].partition("```")[0]
    program = program.replace("http://127.0.0.1:8080", own).replace('"acme", 769658112378', '"symphony", 101')
    program = program.replace("…", "any: the demo knows no callers".replace(" ", "-"))
    found: dict[str, object] = {}
    await eval(compile(program, "python.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), found)  # noqa: S307
    assert isinstance(found["connection"], Connection)
    with Gateway(own) as gateway:
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
        ("check_before_sending", ["101"], "send\n"),
        ("check_before_sending", ["103"], "don't send: pending_outgoing\n"),
        (
            "who_is_pending",
            [],
            "symphony 102 2016-08-01T02:21:13.812Z\ncommunity 102 2026-01-05T09:30:00.123Z\n"
            "site 102 2026-01-05T09:30:00.000Z\n",
        ),
    ],
)
async def test_an_example_that_reads(url: str, name: str, arguments: list[str], expected: str) -> None:
    assert await printed(name, url, *arguments) == expected


async def test_the_example_that_accepts(own: str) -> None:
    assert await printed("accept_pending", own) == "connected\nconnected\nconnected\n"


async def test_the_example_that_greets(own: str) -> None:
    process = await example("greet", own, "community", "101", "102")
    assert process.stdout is not None
    try:
        async with asyncio.timeout(LONGEST), AsyncGateway(own) as gateway:
            assert await process.stdout.readline() == b"waiting for 102\n"
            await gateway.act(("community", 102), "accept")
            assert await process.stdout.readline() == b"welcome, 102\n"
    finally:
        process.terminate()
        await process.communicate()


async def example(name: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(CLIENT / f"examples/{name}.py"),
        *arguments,
        env={**os.environ, "PYTHONPATH": str(CLIENT)},
        stdout=asyncio.subprocess.PIPE,
    )


async def printed(name: str, *arguments: str) -> str:
    process = await example(name, *arguments)
    told, _ = await process.communicate()
    assert process.returncode == 0
    return told.decode()


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
        with pytest.raises(ValueError, match="without spaces or line ends"):
            face("http://127.0.0.1:1", api_key=wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "gateway.example.com",
        "gateway.example.com:8080",
        "ftp://gateway.example.com",
        "http://",
        "http://host:port",
        "http://user:whisper@gateway.example.com",
        "http://gateway.example.com/?api_key=whisper",
        "unix:gateway.sock",
        "http://gate\nway",
    ],
)
def test_a_url_that_can_be_no_gateways_is_refused(wrong: str) -> None:
    for face in (Gateway, AsyncGateway):
        with pytest.raises(ValueError, match="the gateway's URL") as error:
            face(wrong)
        assert "whisper" not in str(error.value)


def test_no_secret_is_printed() -> None:
    with Gateway("http://127.0.0.1:1", api_key="hush") as gateway:
        view = gateway.with_tokens(acme="whisper")
        assert not {"hush", "whisper"} & set(repr((view, view._identity)).replace("'", " ").split())  # noqa: SLF001  its secrets


def test_a_page_of_a_proxy_is_an_unexpected_answer() -> None:
    with pytest.raises(UnexpectedAnswer, match="status 502"):
        read(Answer(502, None, b"<html>"), Connection)


def test_both_faces_have_the_same_methods() -> None:
    def methods(face: type) -> dict[str, tuple[list[str], str | None]]:
        return {
            name.replace("aclose", "close"): (list(inspect.signature(each).parameters), each.__doc__)
            for name, each in inspect.getmembers(face, inspect.isfunction)
            if not name.startswith("_")
        }

    asynchronous = methods(AsyncGateway)
    del asynchronous["watch"]  # a thread that waits for events is not what a script is for
    assert methods(Gateway) == asynchronous
