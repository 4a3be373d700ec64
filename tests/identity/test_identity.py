"""No answer ever crosses from one identity to another: a machine of everything that may happen, in any order.

`IDENTITY_STEPS=1000000` in the environment runs it longer, and each time with other seeds.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.identity.machine import Identities
from tests.identity.shared_world import SharedIdentities, SharedWorld

ENOUGH: Final = 100_000
"""Steps: calls that were answered and judged, and events between them."""
MACHINES: Final = 20
RULES: Final = 100
"""Machines that one seed makes, and rules that each runs."""
SHARED: Final = 50
"""One step with two processes for so many with one."""


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gateways are started by the thousand here: a disk is believed (3 ms)."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


def run_machines(number: int, machines: int, machine: type[Identities] = Identities) -> None:
    run_state_machine_as_test(
        seed(number)(machine),
        settings=settings(
            max_examples=machines,
            stateful_step_count=RULES,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.no_cover  # to be traced makes it three times as slow; the next test is, and does the same less often
@pytest.mark.usefixtures("hasty")
def test_no_answer_belongs_to_another_identity(tell: Callable[[str], None]) -> None:
    wanted = int(os.environ.get("IDENTITY_STEPS", ENOUGH))
    first = 0 if wanted == ENOUGH else random.SystemRandom().randrange(10**9)
    Identities.steps.clear()
    for number in itertools.count(first):
        run_machines(number, MACHINES)
        if Identities.steps.total() >= wanted:
            break
    told = ", ".join(f"{times:,} {what}" for what, times in Identities.steps.most_common())
    tell(f"identities: {Identities.steps.total():,} steps, no answer belongs to another ({told})")
    tell(f"identities: {Identities.origins['hit']:,} answers were kept ones, {Identities.steps['stale']:,} stale")
    assert Identities.steps["answered"] > wanted / 10
    assert Identities.origins["hit"] > wanted / 100
    assert Identities.steps["stale"] > wanted / 1000


@pytest.mark.usefixtures("hasty")
def test_a_few_machines_whose_every_line_is_traced() -> None:
    Identities.steps.clear()
    run_machines(1, 5)
    assert Identities.steps["answered"]


@pytest.mark.usefixtures("hasty")
def test_no_answer_of_two_processes_that_share_belongs_to_another_identity(tell: Callable[[str], None]) -> None:
    wanted = int(os.environ.get("IDENTITY_STEPS", ENOUGH)) // SHARED
    Identities.steps.clear()
    for number in itertools.count(1):
        run_machines(number, 3, SharedIdentities)
        if Identities.steps.total() >= wanted:
            break
    tell(f"identities: {Identities.steps.total():,} steps of two processes, {SharedWorld.messages:,} messages")
    assert Identities.steps["answered"] > wanted / 10
    assert SharedWorld.messages > wanted / 100
