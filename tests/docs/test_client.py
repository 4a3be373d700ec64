"""A client for TypeScript that openapi-typescript makes of the document: it compiles, and reads from the gateway."""

from __future__ import annotations

import asyncio
import re
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from gateway.cli.commands import main
from tests.docs.served import demo

FOLDER = Path(__file__).with_name("node")
NODE = shutil.which("node") or ""
STRICT = [
    "--strict",
    "--target",
    "es2022",
    "--module",
    "nodenext",
    "--noUncheckedIndexedAccess",
    "--exactOptionalPropertyTypes",
]

pytestmark = [
    pytest.mark.skipif(not NODE, reason="there is no node"),
    pytest.mark.skipif(
        not (FOLDER / "node_modules").is_dir(),
        reason="there are no node_modules, which `make test` installs with npm",
    ),
]


async def node(*words: str | Path, cwd: Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(NODE, *words, stdout=PIPE, cwd=cwd, env={})
    printed, _ = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, printed.decode()


@pytest.fixture
async def client(tmp_path: Path) -> Path:
    """A folder with the generated types, and with programs that use them."""
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "openapi.json").write_text(CliRunner().invoke(main, ["openapi"]).output)
    generate = FOLDER / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
    code, printed = await node(generate, "openapi.json", "-o", "gateway.d.ts", cwd=tmp_path)
    assert code == 0, printed
    for name in ("client.ts", "wrong.ts"):
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


async def compiled(folder: Path, name: str) -> tuple[int, str]:
    return await node(FOLDER / "node_modules" / "typescript" / "bin" / "tsc", *STRICT, name, cwd=folder)


async def test_a_generated_client_compiles_and_reads_from_the_demo(client: Path, port: int) -> None:
    assert await compiled(client, "client.ts") == (0, "")
    async with demo(port) as url:
        code, printed = await node("client.js", url, "symphony", "community", cwd=client)
    assert code == 0
    assert msgspec.json.decode(printed) == {
        "status": "pending_incoming",
        "calls": 1,
        "slug": "/problems/user-not-found",
        "hasNext": True,
        "statuses": ["connected", "pending_incoming"],
        "after": "connected",
    }


async def test_a_compiler_finds_what_the_gateway_would_refuse(client: Path) -> None:
    _, printed = await compiled(client, "wrong.ts")
    lines = (FOLDER / "wrong.ts").read_text().splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.startswith("export const no")}
    assert {int(found) for found in re.findall(r"^wrong\.ts\((\d+),", printed, re.MULTILINE)} == wrong
