"""The watch over the whole suite finds what it is there to find."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.contract import (
    PlatformError,
)
from adapters.secret import Secret
from gateway.auth.callers import Callers
from gateway.config.caller_settings import CallerSettings
from gateway.config.settings import ConfigurationError, ServerSettings
from gateway.problems.problem import Kind, Problem
from gateway.telemetry.log import Log
from tests.canary import Watch
from tests.gateways import CALLERS, running

USER = "769658112378"
LEAK = "leak-4e1f77aa90"


@pytest.mark.parametrize(
    "leaking",
    [
        lambda: Log(lambda _line: None).line("request", caller=LEAK),
        lambda: PlatformError("acme", f"no: {LEAK}"),
        lambda: Problem(Kind.NOT_FOUND, LEAK),
        lambda: ConfigurationError(f"platforms.{LEAK}"),
    ],
)
def test_the_canary_finds_what_is_said(leaking: Callable[[], object]) -> None:
    with Watch().watching() as watch:
        Secret(f"{LEAK}.and-more")
        assert list(watch.leaks()) == []
        leaking()
        assert [leak.partition(" in ")[0] for leak in watch.leaks()] == ["a secret (lea…, 15 characters)"]


async def test_the_canary_finds_what_is_answered() -> None:
    with Watch().watching() as watch:
        async with running(CALLERS) as gateway:
            await gateway.client.get(f"/v1/connections/acme/{USER}", headers={"sessionToken": LEAK})
            assert (set(watch.leaks()), watch.secrets, watch.users) == (set(), {LEAK}, {USER})
            gateway.acme.platform.tokens.accept(LEAK, 1)
            await gateway.client.get(f"/{LEAK}", headers={"X-Request-Id": LEAK})
        watch.read_answer("", f'{{"user_id":"{USER}"}}'.encode(), "an answer")
        assert {leak.partition(" in ")[2] for leak in watch.leaks()} == {"the log, event request"}
        watch.read_answer("", f'{{"detail":"user {USER}"}}'.encode(), "an answer")
        assert {leak.partition(" in ")[2] for leak in watch.leaks()} == {"the log, event request", "an answer"}


def test_the_canary_finds_a_bare_number_in_the_log() -> None:
    with Watch().watching() as watch:
        Log(lambda _line: None).line("request", status=200, duration_ms=1.5, request_id="7")
        assert list(watch.leaks()) == []
        Log(lambda _line: None).line("request", user="101")
        assert list(watch.leaks()) == ["a bare number in the log: request.user"]


def test_the_canary_finds_what_is_shown() -> None:
    with Watch().watching() as watch:
        watch.mark("caller-named-so-long")
        held = (
            Callers([CallerSettings(name="caller-named-so-long", key_sha256="0" * 64)]),
            ServerSettings(host="caller-named-so-long"),
        )
        watch.read_reprs()
        assert held
        assert [leak.partition(" in ")[2] for leak in watch.leaks()] == ["the repr of a ServerSettings"]
