"""The JavaScript client: its own tests under Node, and its types against the compiler and `/openapi.json`."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.commands import main
from tests.docs.test_client import FOLDER, NODE, STRICT, node

CLIENT = Path(__file__).parents[2] / "clients" / "javascript"
TYPES = Path(__file__).with_name("types")

pytestmark = pytest.mark.skipif(not NODE, reason="there is no node")
typed = pytest.mark.skipif(
    not (FOLDER / "node_modules").is_dir(), reason="there are no node_modules, which `make test` installs with npm"
)


async def test_its_own_tests_pass() -> None:
    files = sorted((CLIENT / "test").glob("*.test.js"))
    assert files
    code, printed = await node("--test", "--test-timeout", "60000", *files, cwd=CLIENT)
    assert code == 0, printed


@pytest.fixture
async def compiling(tmp_path: Path) -> Path:
    """A folder with the client's types, those of the document, and the programs that use them."""
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "openapi.json").write_text(CliRunner().invoke(main, ["openapi"]).output)
    generate = FOLDER / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
    code, printed = await node(generate, "openapi.json", "-o", "openapi.d.ts", cwd=tmp_path)
    assert code == 0, printed
    for file in (CLIENT / "gateway.d.ts", TYPES / "agree.ts", TYPES / "wrong.ts"):
        shutil.copy(file, tmp_path)
    return tmp_path


async def compiled(folder: Path, name: str) -> tuple[int, str]:
    tsc = FOLDER / "node_modules" / "typescript" / "bin" / "tsc"
    return await node(tsc, *STRICT, "--noEmit", name, cwd=folder)


@typed
async def test_types_are_those_of_the_document(compiling: Path) -> None:
    assert await compiled(compiling, "agree.ts") == (0, "")


@typed
async def test_the_compiler_rejects_wrong_uses(compiling: Path) -> None:
    _, printed = await compiled(compiling, "wrong.ts")
    lines = (TYPES / "wrong.ts").read_text().splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.startswith("export const no")}
    assert {int(found) for found in re.findall(r"^wrong\.ts\((\d+),", printed, re.MULTILINE)} == wrong
