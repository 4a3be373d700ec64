"""A bot that works on behalf of three users: it survives a restart of the gateway, and accepts what is pending."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from connection_gateway.demo import demo

from tests.clients.gateway_process import LONGEST, GatewayProcess
from tests.gateways import key_of

CLIENT = Path(__file__).parent.parent
BOT = CLIENT / "examples/on_behalf_of_three.py"


async def test_the_bot_goes_on_after_a_restart(tmp_path: Path) -> None:
    with demo() as platforms, GatewayProcess(tmp_path, platforms, "tcp") as gateway:
        gateway.set("symphony", 103, 105, "PENDING_INCOMING")
        key_file = tmp_path / "bot-key"
        key_file.write_text(key_of("bot") + "\n")  # as `openssl rand -hex 32 | tee` writes it
        environ = {**os.environ, "PYTHONPATH": str(CLIENT)}
        command = [sys.executable, str(BOT), gateway.url, str(key_file), "0.1"]
        bot = await asyncio.create_subprocess_exec(*command, env=environ, stdout=PIPE, stderr=PIPE)
        assert bot.stdout is not None
        try:
            async with asyncio.timeout(LONGEST):
                first = {await bot.stdout.readline() for _ in range(3)}
                await asyncio.to_thread(gateway.stop)
                gateway.set("symphony", 105, 102, "PENDING_INCOMING")
                await asyncio.to_thread(gateway.start)
                then = await bot.stdout.readline()
        finally:
            bot.terminate()
            _, errors = await bot.communicate()
        assert first == {b"1 102 connected\n", b"103 1 connected\n", b"103 105 connected\n"}
        assert then == b"105 102 connected\n"
        assert b"Traceback" not in errors
        assert key_of("bot").encode() not in errors


def test_the_bot_is_short() -> None:
    assert len(BOT.read_text().splitlines()) < 40
