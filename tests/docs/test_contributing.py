"""What contributors run is the same everywhere."""

from __future__ import annotations

import re

import yaml

from tests.docs.pages import ROOT, output

MAKEFILE = (ROOT / "Makefile").read_text()


def test_pre_commit_runs_the_tools_of_make_check() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    recipe = MAKEFILE.partition("\ncheck: ")[2].partition("\n\n")[0]
    commands = [line.removesuffix(" .") for line in re.findall(r"^\t(.*)$", recipe, re.MULTILINE)]
    assert len(commands) == 4
    assert [hook["entry"] for hook in hooks] == commands
    assert {hook["language"] for hook in hooks} == {"system"}


async def test_make_help_lists_every_target() -> None:
    (targets,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    printed = await output("make", "-C", str(ROOT), "--no-print-directory", "help")
    assert [line.split()[0] for line in printed.splitlines()] == targets.split()
    assert all(len(line.split()) > 1 for line in printed.splitlines())
