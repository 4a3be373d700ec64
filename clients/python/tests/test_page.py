"""`docs/clients/python.md`: what it says of methods is their docstrings, and its programs are those that run."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest
from connection_gateway import AsyncGateway, problems
from connection_gateway.problems import BY_SLUG
from connection_gateway.testing import FakeGateway

CLIENT = Path(__file__).parent.parent
PAGE = (CLIENT.parent.parent / "docs/clients/python.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def reference() -> str:
    """A row for each public method of `AsyncGateway`."""
    rows = ["| method | |", "| --- | --- |"]
    for name, method in vars(AsyncGateway).items():
        if not name.startswith("_"):
            parameters = list(inspect.signature(method).parameters.values())[1:]
            told = " ".join(inspect.cleandoc(method.__doc__ or "").split())
            rows.append(f"| `{name}({', '.join(map(_parameter, parameters))})` | {told} |")
    return "\n".join(rows)


def _parameter(parameter: inspect.Parameter) -> str:
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return f"**{parameter.name}"
    return f"{parameter.name}=" if parameter.kind is inspect.Parameter.KEYWORD_ONLY else parameter.name


def test_its_methods_are_those_of_the_client() -> None:
    assert reference() in PAGE


def test_its_bot_is_the_example() -> None:
    (bot,) = [each for each in PROGRAMS if each.startswith("import asyncio")]
    assert (CLIENT / "examples/on_behalf_of_three.py").read_text().endswith(bot)


def test_its_bot_that_is_told_is_the_example() -> None:
    (bot,) = [each for each in PROGRAMS if each.startswith("async def main")]
    assert bot in (CLIENT / "examples/greet.py").read_text()


async def test_its_test_of_a_bot_passes() -> None:
    (program,) = [each for each in PROGRAMS if "FakeGateway()" in each]
    found: dict[str, object] = {}
    await eval(compile(program, "python.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), found)  # noqa: S307
    assert isinstance(found["gateway"], FakeGateway)


def test_the_names_that_it_uses_exist() -> None:
    assert problems.UserNotFound is BY_SLUG["user-not-found"]
    table = PAGE.partition("| problem | what")[2]
    assert set(re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE)) <= set(BY_SLUG)


@pytest.mark.parametrize("status", ["friends", ""])
async def test_a_status_that_is_none_is_never_sent(status: str) -> None:
    async with AsyncGateway("http://127.0.0.1:1") as gateway:
        with pytest.raises(ValueError, match="not a valid Status"):
            await anext(aiter(gateway.connections(status=status)))  # type: ignore[arg-type]  # what users would write
