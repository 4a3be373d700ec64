"""What import-linter can't say without a list of adapters: siblings never meet, and nothing else meets one."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import grimp
import pytest

from adapters import ADAPTERS, adapter_name
from tests import gateways
from tests.identity import world

ROOT = Path(__file__).parent.parent
EXAMPLES = {"gateway/cli/demo.py", "gateway/api/routes/platforms.py"}
"""What they show to people is what one platform would say."""
FOLDERS = sorted(each.parent for each in (ROOT / "adapters").glob("*/adapter.py"))
FILES = {"settings.py", "wire.py", "tables.py", "credentials.py", "decoding.py", "adapter.py", "__init__.py"}
SIMULATOR = {"state.py", "api.py", "__init__.py"}
EVENTS = {"webhook.py"}, {"webhooks.py"}
"""What an adapter and its simulator have beside these, if the platform sends events."""
SHARED = {
    "extensions",
    "token_store",
    "contract",
    "daemon_thread",
    "files",
    "httpx_internals",
    "loop",
    "mismatch",
    "refresh_token",
    "secret",
    "settings",
    "times",
    "user_ids",
    "webhook",
    "simulation",
}


@functools.cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("gateway", "adapters")


def imported(package: str) -> Iterator[str]:
    """The modules of `adapters` that anything in this package imports: `contract`, `symphony`, …"""
    for module in {package, *graph().find_descendants(package)}:
        for other in graph().find_modules_directly_imported_by(module):
            if other.startswith("adapters."):
                yield other.split(".")[1]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_all_adapters_have_the_same_files(folder: Path) -> None:
    files, simulator = ({file.name for file in folder.glob(each)} for each in ("*.py", "simulator/*.py"))
    layouts = [(FILES, SIMULATOR), (FILES | EVENTS[0], SIMULATOR | EVENTS[1])]
    more = (files - FILES) | (simulator - SIMULATOR)
    missing = (FILES - files) | (SIMULATOR - simulator)
    assert (files, simulator) in layouts, f"a platform has these files and no others: {more=}, {missing=}"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_siblings_never_meet(folder: Path) -> None:
    assert set(imported(f"adapters.{folder.name}")) & {each.name for each in FOLDERS} <= {folder.name}


def test_every_folder_is_in_the_list_of_adapters() -> None:
    assert {each.name for each in FOLDERS} == set(map(adapter_name, ADAPTERS))


@pytest.mark.parametrize("proof", [gateways.ADAPTERS.values(), world.ADAPTERS.values(), world.WORDS])
def test_every_adapter_is_in_every_proof(proof: Collection[str]) -> None:
    """In the gateways of most tests and their faulted actions; and in the identity machine."""
    assert set(map(adapter_name, ADAPTERS)) <= set(proof)


def test_what_adapters_share_meets_none_of_them() -> None:
    """But for the list of them, in `adapters/__init__.py`."""
    names = {each.name for each in FOLDERS}
    shared = graph().find_children("adapters") - {f"adapters.{name}" for name in names}
    assert {each for each in shared if set(imported(each)) & names} == set()


def test_nothing_else_names_a_platform() -> None:
    """Comments and documents may: they explain by example."""
    named = re.compile("|".join(each.name for each in FOLDERS), re.IGNORECASE)
    files = [*(ROOT / "gateway").rglob("*.py"), *(ROOT / "adapters").glob("*.py")]
    files += [*(ROOT / "adapters" / "simulation").glob("*.py")]
    found = {str(file.relative_to(ROOT)) for file in files if named.search(file.read_text())}
    assert found == {"adapters/__init__.py", *EXAMPLES}


def test_the_gateway_meets_only_the_contract() -> None:
    found = set(imported("gateway"))
    assert "contract" in found
    assert found <= SHARED


LONGEST = 250


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """The sets of nodes that can reach each other."""
    reached: dict[str, set[str]] = {}
    for node in edges:
        reached[node], todo = set(), [node]
        while todo:
            for other in edges.get(todo.pop(), set()) - reached[node]:
                reached[node].add(other)
                todo.append(other)
    found = {
        frozenset({node} | {other for other in reached[node] if node in reached.get(other, ())}) for node in edges
    }
    return [set(each) for each in found if len(each) > 1]


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [{"a", "b", "c"}]
    assert circles({"a": {"b"}, "b": {"c"}}) == []


def test_there_is_no_circle_of_imports() -> None:
    """Among modules, and among the packages and modules of each package."""
    modules = {each: set(graph().find_modules_directly_imported_by(each)) for each in graph().modules}
    assert len(modules) > 150
    assert circles(modules) == []
    for package in graph().modules:
        children = sorted(graph().find_children(package))
        edges: dict[str, set[str]] = {each: set() for each in children}
        for one, other in itertools.permutations(children, 2):
            if graph().direct_import_exists(importer=one, imported=other, as_packages=True):
                edges[one].add(other)
        assert circles(edges) == [], package


def written_records(source: str) -> set[int]:
    """The lines that assign to an attribute of a request's record."""
    return {
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and getattr(node.value, "id", getattr(node.value, "attr", None)) == "record"
    }


def test_written_records_are_found() -> None:
    assert written_records("x = record.caller\nrecord.caller = 1\na, context.record.b = 1, 2\nrecord.c += 1") == {
        2,
        3,
        4,
    }


def test_only_middleware_writes_the_record_of_a_request() -> None:
    """Routes report by its methods, so that all that changes it stands in one file."""
    api = ROOT / "gateway" / "api"
    found = {file: written_records(file.read_text()) for file in api.rglob("*.py")}
    assert sum(map(len, found.values())) >= 5
    assert {file.parent.name for file, lines in found.items() if lines} == {"middleware"}


def test_few_files_lie_flat_in_the_gateway() -> None:
    assert len(list((ROOT / "gateway").glob("*.py"))) <= 8


def test_a_long_file_says_why_it_is() -> None:
    for folder in ("gateway", "adapters"):
        for file in (ROOT / folder).rglob("*.py"):
            lines = file.read_text().splitlines()
            assert len(lines) <= LONGEST or any(line.startswith("Long, because ") for line in lines[:8]), file
