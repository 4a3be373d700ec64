"""The README and the pages of `docs/`, and what tests of their examples share."""

from __future__ import annotations

import asyncio
import re
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any, Final

import msgspec

ROOT: Final = Path(__file__).parent.parent.parent
PAGES: Final = {
    str(file.relative_to(ROOT)): file.read_text()
    for file in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "SECURITY.md",
        *sorted(ROOT.glob("docs/**/*.md")),
    )
}
"""The text of each page, by its path in the repository."""
DIFFERS: Final = {"as_of", "instance", "at_ms", "took_ms", "age_ms"}
"""Fields whose values differ from run to run."""


def section(page: str, heading: str) -> str:
    """The part of a page under a heading, up to the next heading of the same level or a higher one."""
    level = heading.index(" ")
    rest = PAGES[page].partition(f"{heading}\n")[2]
    assert rest, f"{page} has no {heading}"
    return re.split(rf"^#{{1,{level}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def blocks(language: str) -> list[tuple[str, str]]:
    """Every code block in this language, with the page it is on; those of clients' pages their own tests run."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    pages = {page: text for page, text in PAGES.items() if not page.startswith("docs/clients/")}
    return [(page, block) for page, text in pages.items() for block in pattern.findall(text)]


def rows(text: str) -> list[tuple[str, ...]]:
    """The rows of the tables in `text` without their heads."""
    found = [
        tuple(cell.strip() for cell in line.strip("| ").split(" | "))
        for line in re.findall(r"^\|.*\|$", text, re.MULTILINE)
    ]
    heads = {place - 1 for place, row in enumerate(found) if set("".join(row)) <= set("-| ")}
    return [row for place, row in enumerate(found) if place not in heads and place - 1 not in heads]


async def output(*words: str) -> str:
    """What a program prints that must succeed."""
    process = await asyncio.create_subprocess_exec(
        shutil.which(words[0]) or words[0], *words[1:], stdout=PIPE, env={"PYTHONIOENCODING": "utf-8"}
    )
    printed, _ = await asyncio.wait_for(process.communicate(), timeout=30)
    assert process.returncode == 0
    return printed.decode()


def in_tests(text: str) -> str:
    """The demo calls `acme` and `club` of the tests `symphony` and `community`."""
    return re.sub(r"([/\"])community\b", r"\1club", re.sub(r"([/\"])symphony\b", r"\1acme", text))


def in_demo(text: str) -> str:
    return re.sub(r"([/\"])club\b", r"\1community", re.sub(r"([/\"])acme\b", r"\1symphony", text))


def steady(text: str) -> Any:
    """A response without the values that differ from run to run."""
    return _without(msgspec.json.decode(text))


def _without(value: Any) -> Any:
    match value:
        case dict():
            return {name: None if name in DIFFERS else _without(each) for name, each in value.items()}
        case list():
            return [_without(each) for each in value]
        case _:
            return value
