"""schemathesis reads `/openapi.json`, asks for what it allows and for what it does not, and finds it kept."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from adapters.simulation import serving
from tests.gateways import Gateway

FOLDER = Path(__file__).parent
EXAMPLES = 20
"""for each call; in the phases before it tries the bounds of each field"""
SEED = 20261126
WATCH = "/v1/watch"


@pytest.mark.no_cover  # it is asked from another process, some thousand times
async def test_schemathesis_finds_nothing(gateway: Gateway, tmp_path: Path) -> None:
    async with serving(gateway.app) as url:
        process = await asyncio.create_subprocess_exec(
            *(Path(sys.executable).with_name("schemathesis"), "run", f"{url}/openapi.json", "--no-color"),
            *("--phases", "coverage,fuzzing", "--checks", "all", "--continue-on-failure"),
            *("--exclude-path", WATCH),  # whose response does not end
            *("--max-examples", str(EXAMPLES), "--seed", str(SEED), "--suppress-health-check", "too_slow"),
            stdout=PIPE,
            stderr=STDOUT,
            cwd=tmp_path,
            env={"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(FOLDER)},
        )
        said, _ = await asyncio.wait_for(process.communicate(), 120)
    printed = said.decode()
    assert process.returncode == 0, printed
    cases = re.search(r"(\d+) generated, \1 passed", printed)
    assert cases, printed
    assert int(cases[1]) > 300
    paths = (await gateway.client.get("/openapi.json")).json()["paths"]
    calls = sum(len(methods) for path, methods in paths.items() if path != WATCH)
    assert f"Tested: {calls}" in printed
