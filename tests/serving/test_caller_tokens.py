"""Signed tokens over a real process: the keys of a relative path, and an exchange of keys by SIGHUP."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx

from adapters.simulation import serving, simulator
from tests.callers.tokens import AUDIENCE, ED, ED_HEADER, ISSUER, RSA, jwk, key_set, pem, signed, token
from tests.serving.test_process import ASKED, started

PAGE = f"""
    [[callers]]
    name = "page"
    jwt_key_file = "keys/page.pem"
    jwt_issuer = "{ISSUER}"
    jwt_audience = "{AUDIENCE}"
"""


async def test_keys_are_exchanged_without_a_restart(port: int, tmp_path: Path) -> None:
    keys = tmp_path / "keys" / "page.pem"
    keys.parent.mkdir()
    keys.write_text(pem(RSA))
    file = tmp_path / "gateway.toml"
    async with serving(simulator("symphony")) as pod_url, started(port, pod_url, tmp_path) as gateway:
        file.write_text(file.read_text() + PAGE)
        async with httpx.AsyncClient(base_url=gateway.url) as client:

            async def status(key: str) -> int:
                return (await client.get(ASKED, headers={"X-API-Key": key})).status_code

            await gateway.hang_up(client, lambda answer: answer.status_code == 401)
            old, new = token(), signed(ED_HEADER, key=ED)
            assert [await status(old), await status(new), await status("x")] == [200, 401, 401]
            client.headers["X-API-Key"] = new
            keys.write_text(key_set(jwk("ed-1", ED), jwk("rsa-1", RSA)))
            await gateway.hang_up(client, lambda answer: answer.status_code == 200)
            assert [await status(old), await status(new)] == [200, 200]
            client.headers["X-API-Key"] = old
            keys.write_text(pem(ED))
            await gateway.hang_up(client, lambda answer: answer.status_code == 401)
            assert await status(new) == 200
        gateway.signal(signal.SIGTERM)
        assert await gateway.ended() == 0
    assert gateway.errors.count(b'"changed":["callers"]') == 3
    assert b'"caller":"page"' in gateway.errors
    assert old.encode() not in gateway.errors
