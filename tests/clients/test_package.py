"""The npm package: what it contains, how large it is, its types, and the manifest of its element."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import __version__
from tests.clients.test_javascript import CLIENT, TYPES
from tests.docs.test_client import FOLDER, STRICT, node

REACT = Path(__file__).with_name("react")
NPM = shutil.which("npm") or ""
FILES = {
    "README.md",
    "custom-elements.json",
    "element.d.ts",
    "element.js",
    "gateway.d.ts",
    "gateway.js",
    "package.json",
    "react.d.ts",
    "react.js",
    "watch.d.ts",
    "watch.js",
}

pytestmark = [
    pytest.mark.skipif(not NPM, reason="there is no npm"),
    pytest.mark.skipif(
        not all((folder / "node_modules").is_dir() for folder in (FOLDER, REACT / "18", REACT / "19")),
        reason="there are no node_modules, which `make test` installs with npm",
    ),
]


async def test_the_package_is_whole_and_clean(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(NPM, "pack", "--json", "--ignore-scripts", "--cache", tmp_path, "--pack-destination", tmp_path),
        cwd=CLIENT,
        stdout=PIPE,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 60)
    (packed,) = msgspec.json.decode(printed)
    assert {file["path"] for file in packed["files"]} == FILES
    assert packed["version"] == __version__
    script = Path(__file__).with_name("package.mjs")
    code, found = await node(script, FOLDER, CLIENT, tmp_path / packed["filename"], cwd=tmp_path)
    assert code == 0, found
    assert msgspec.json.decode(found) == {"publint": [], "attw": [], "differ": []}


@pytest.fixture(params=["18", "19"])
def compiling(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder in which the client and one version of React are installed, with the programs that use them."""
    modules = tmp_path / "node_modules"
    package = modules / "@connection-gateway" / "client"
    package.mkdir(parents=True)
    for name in FILES:
        shutil.copy(CLIENT / name, package)
    for each in (REACT / request.param / "node_modules").iterdir():
        (modules / each.name).symlink_to(each)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    for file in [*(CLIENT / "examples").glob("*.[jt]s*"), *TYPES.glob("*element.tsx"), TYPES / "session.d.ts"]:
        text = file.read_text().replace("https://gateway.example.com/client/element.js", IMPORTED)
        (tmp_path / file.name).write_text(text)
    return tmp_path


IMPORTED = "@connection-gateway/client/element"


def programs(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.glob("*.[jt]s*") if file.name != "package.json")


async def compiled(folder: Path, *names: str) -> tuple[int, str]:
    tsc = FOLDER / "node_modules" / "typescript" / "bin" / "tsc"
    more = ["--noEmit", "--allowJs", "--checkJs", "--jsx", "react-jsx", "--skipLibCheck"]
    return await node(tsc, *STRICT, *more, *names, cwd=folder)


async def test_the_compiler_accepts_the_examples_and_rejects_wrong_uses(compiling: Path) -> None:
    names = programs(compiling)
    _, printed = await compiled(compiling, *names)
    lines = (TYPES / "wrong-element.tsx").read_text().splitlines()
    wrong = {
        f"wrong-element.tsx({number}" for number, line in enumerate(lines, 1) if line.startswith("export const no")
    }
    assert {"cards.js", "inbox.js", "react.tsx", "element.tsx"} <= set(names)
    assert set(re.findall(r"^([\w.-]+\(\d+),", printed, re.MULTILINE)) == wrong, printed


def test_the_manifest_describes_the_element() -> None:
    manifest: Any = msgspec.json.decode((CLIENT / "custom-elements.json").read_bytes())
    (module,) = manifest["modules"]
    (element,) = module["declarations"]
    code = (CLIENT / module["path"]).read_text()

    def names(part: str) -> set[str]:
        return {each["name"] for each in element[part]}

    assert names("attributes") == set(re.findall(r'getAttribute\("([\w-]+)"\)', code))
    assert names("events") == set(re.findall(r'"(connection-(?:change|problem))"', code))
    assert names("cssParts") == set(re.findall(r'part: "(\w+)"', code))
    properties = {each["name"]: each["default"] for each in element["cssProperties"]}
    assert properties == dict(re.findall(r"var\((--[\w-]+),((?:[^()]|\([^()]*\))*)\)", code))
    states = {"connected", "pending-incoming", "pending-outgoing", "rejected", "none"}
    assert names("cssStates") == states | {"stale", "problem", "loading", "busy"}
    assert {each["name"] for each in module["exports"]} == {"ConnectionStatus", "words", "connection-status"}
    assert names("members") == set(re.findall(r"^  get (\w+)\(\)", code, re.MULTILINE))
