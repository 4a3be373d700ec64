"""The innermost transport: what was sent, and what certainly was not."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway import __version__
from tests import wire


async def ask(url: str, within: float = 0.2) -> httpx.Response:
    deadline = asyncio.get_running_loop().time() + within
    async with wire.pool() as network:
        return await network.handle_async_request(httpx.Request("GET", url, extensions={"deadline": deadline}))


@pytest.fixture
def full() -> Iterator[str]:
    """Where connections are neither taken nor refused: the queue of a listener that accepts nobody is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        yield f"http://127.0.0.1:{address[1]}/"
        for each in waiting:
            each.close()


async def test_who_never_connected_has_certainly_not_sent(full: str) -> None:
    with pytest.raises(httpx.ConnectTimeout):
        await ask(full)


async def test_who_waits_for_an_answer_may_have_been_heard() -> None:
    async with wire.scripted(wire.sending(b"", pause=30)) as server:
        with pytest.raises(httpx.ReadTimeout):
            await ask(server.url)
    assert len(server.requests) == 1


async def test_a_deadline_that_has_passed_sends_nothing() -> None:
    async with wire.scripted(wire.sending(wire.answer(b"{}"))) as server:
        with pytest.raises(httpx.TimeoutException):
            await ask(server.url, within=-1.0)
    assert server.requests == []


async def test_a_platform_sees_who_asks_and_what_is_accepted() -> None:
    async with wire.scripted(wire.sending(wire.answer(b"{}"))) as server:
        await ask(server.url)
    head = server.requests[0].lower()
    assert f"user-agent: connection-gateway/{__version__}".encode() in head
    assert b"accept-encoding: gzip\r\n" in head


async def test_an_answer_keeps_its_headers_but_those_of_the_wire() -> None:
    async with wire.scripted(wire.sending(wire.answer(b"{}", "Retry-After: 7"))) as server:
        answer = await ask(server.url)
    assert (answer.content, answer.headers["retry-after"]) == (b"{}", "7")


async def test_environment_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with wire.scripted(wire.sending(wire.answer(b"{}"))) as server:
        assert (await ask(server.url)).status_code == 200


async def test_nobody_queues_for_a_connection() -> None:
    everybody = asyncio.Barrier(150)

    async def together(writer: asyncio.StreamWriter) -> None:
        await everybody.wait()
        writer.write(wire.answer(b"{}"))

    async with wire.scripted(together) as server, wire.pool() as transport:
        deadline = asyncio.get_running_loop().time() + 30
        answers = await asyncio.gather(
            *(
                transport.handle_async_request(httpx.Request("GET", server.url, extensions={"deadline": deadline}))
                for _ in range(150)
            )
        )
    assert {each.status_code for each in answers} == {200}


async def test_an_untrusted_certificate_is_no_connection(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(self_signed(tmp_path / "127.0.0.1.pem"))
    asked = []
    server = await asyncio.start_server(lambda _reader, writer: asked.append(writer), "127.0.0.1", 0, ssl=tls)
    async with server:
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await ask(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", within=5.0)
    assert asked == []


def self_signed(file: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
    return file
