"""What is written: lines of known fields, and no secret, token, path or user id in any of them."""

from __future__ import annotations

import asyncio
import logging
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module

import msgspec
import pytest

from adapters import ADAPTERS, adapter_name
from adapters.contract import (
    Connection,
    Entry,
    Forbidden,
    Identity,
    Page,
    Position,
    Status,
    Viewer,
)
from adapters.secret import Secret, Token
from adapters.sessions import LoginRefused
from adapters.simulation.faults import Fault
from adapters.user_ids import INT64
from gateway.api.request_record import RequestRecord
from gateway.app import log_of
from gateway.auth.on_behalf import OnBehalf
from gateway.auth.request_headers import RequestHeaders
from gateway.cli.viewer import ViewerOptions
from gateway.config.caller_settings import Grant
from gateway.config.converter import from_tables
from gateway.platforms.filters import Filters
from gateway.platforms.listing import Place
from gateway.platforms.lookup.encoded import CachedConnection
from gateway.platforms.lookup.lookups import Reading
from gateway.platforms.lookup.origin import Origin
from gateway.problems.details import details
from gateway.problems.problem import Kind, Problem
from gateway.telemetry.log import Line, Log
from tests import clock
from tests.gateways import KEY, OWN, Gateway, running, tables

TOKEN = "canary-token-5b1c9e"
USER = "769658112378"


async def test_a_request_writes_one_line(gateway: Gateway) -> None:
    await gateway.client.get("/v1/connections/acme/103", headers={"X-Request-Id": "abc"})
    (line,) = gateway.logged()
    assert line.pop("duration_ms") >= 0
    assert len(line.pop("time")) == 24
    assert len(line.pop("user")) == 16
    assert line == {
        "level": "info",
        "event": "request",
        "request_id": "abc",
        "method": "GET",
        "route": "/v1/connections/{platform}/{user_id}",
        "status": 200,
        "platform": "acme",
    }


async def test_a_problem_writes_its_slug(gateway: Gateway) -> None:
    await gateway.client.get("/v1/connections/club/404404")
    assert gateway.logged()[-1]["problem"] == "user-not-found"


@pytest.mark.parametrize("path", [f"/{TOKEN}", f"/v1/connections/acme/{TOKEN}", f"/v1/platforms?{TOKEN}=1"])
async def test_paths_and_queries_are_not_written(gateway: Gateway, path: str) -> None:
    await gateway.client.request(TOKEN.upper()[:10], path)
    await gateway.client.get(path)
    assert len(gateway.lines) == 2
    assert TOKEN not in "".join(gateway.lines)
    assert TOKEN.upper()[:10] not in "".join(gateway.lines)


FAULTS = [
    *(Fault(status=status) for status in (401, 403, 404, 429, 500)),
    Fault(body=f'{{"status":"{TOKEN}","connection_status":"{TOKEN}","userId":{USER}}}'),
    Fault(body=f"<{TOKEN}>"),
    Fault(delay=60),
]


def test_no_token_and_no_user_id_is_ever_written() -> None:
    async def main() -> str:
        credentials = {"acme": {"mode": "caller"}, "club": {"mode": "token", "token": TOKEN}}
        headers = {"sessionToken": TOKEN, "Authorization": f"Bearer {TOKEN}"}
        written = ""
        async with running(credentials) as gateway:
            for fault in (*FAULTS, None):
                for name, simulator in gateway.simulators.items():
                    simulator.misbehave(*([fault] if fault else []))
                    answer = await gateway.client.get(f"/v1/connections/{name}/{USER}", headers=headers)
                    written += answer.text.replace(f'"user_id":"{USER}"', "") + str(answer.headers)
            from_the_log = "".join(gateway.lines)
            assert from_the_log.count('"event":"request"') == 2 * (len(FAULTS) + 1)
            assert USER not in from_the_log
        return written + from_the_log

    written = clock.run(main())
    assert TOKEN not in written
    assert USER not in written


async def test_a_secret_hides_itself() -> None:
    secret, viewer = Secret(TOKEN), Viewer("acme", b"key", Token(TOKEN))
    async with running({"club": {"mode": "token", "token": TOKEN}}) as gateway:
        shown = f"{secret} {secret!r} {viewer} {viewer!r} {[secret]} {gateway.app.state.__dict__}"
    assert TOKEN not in shown


USERS_ID = int(USER)
CONNECTION = Connection("acme", USER, Status.NONE, None, (), None, None, None, "", stale=False)


@pytest.mark.parametrize(
    "shown",
    [
        Viewer.named("acme", USERS_ID),
        CONNECTION,
        Position(0, USERS_ID),
        Entry(USERS_ID, CONNECTION, Position(0, USERS_ID)),
        Page((), Position(0, USERS_ID)),
        Identity("user", USERS_ID),
        OnBehalf.parse(USER, {}),
        OnBehalf.parse(f"acme={USER}", {"acme": INT64}),
        Grant(f"acme={USER}"),
        RequestHeaders([(b"sessiontoken", TOKEN.encode())]),
        RequestRecord(
            "1", RequestHeaders([(b"sessiontoken", TOKEN.encode())]), user_id=USERS_ID, named={"acme": USERS_ID}
        ),
        CachedConnection.of(CONNECTION, 0.0),
        Reading(CachedConnection.of(CONNECTION, 0.0), CachedConnection.of(CONNECTION, 0.0).body, 0.0, 0, Origin.HIT),
        Filters(("acme",), frozenset(), {"acme": (USERS_ID,)}),
        Place("acme", Position(0, USERS_ID)),
        Problem(Kind.INVALID_REQUEST, "no", user_id=USERS_ID),
        details(Problem(Kind.INVALID_REQUEST, "no"), "1", USERS_ID),
        ViewerOptions(Token(TOKEN), USER),
        LoginRefused(Forbidden("acme", "no")),
    ],
    ids=lambda shown: type(shown).__name__,
)
def test_what_knows_a_user_or_a_token_does_not_show_it(shown: object) -> None:
    assert USER not in f"{shown} {shown!r}"
    assert TOKEN not in f"{shown} {shown!r}"


def wire_structs() -> Iterator[type[msgspec.Struct]]:
    """All that the listed adapters read and write."""
    for settings in ADAPTERS:
        for found in vars(import_module(f"adapters.{adapter_name(settings)}.wire")).values():
            if isinstance(found, type) and issubclass(found, msgspec.Struct):
                yield found


@pytest.mark.parametrize("struct", list(wire_structs()), ids=lambda struct: f"{struct.__module__}.{struct.__name__}")
def test_what_a_platform_says_is_not_shown(struct: type[msgspec.Struct]) -> None:
    assert TOKEN not in repr(struct(*(f"{TOKEN}-{field}" for field in struct.__struct_fields__)))


def test_settings_hide_their_secrets() -> None:
    shown = repr(from_tables(tables(OWN, {"hash_key": TOKEN})))
    assert TOKEN not in shown
    assert KEY.splitlines()[1] not in shown


def test_a_user_has_the_same_hash_under_the_same_key_only() -> None:
    one, same, other = Log(hash_key=b"one"), Log(hash_key=b"one"), Log()
    assert one.user(101) == same.user(101)
    assert one.user(101) != other.user(101)
    assert one.user(101) != one.user(102)


def test_a_hash_key_may_be_longer_than_the_hash_takes() -> None:
    assert Log(hash_key=b"k" * 1000).user(1) != Log(hash_key=b"k" * 1001).user(1)


def test_a_field_that_is_not_on_the_list_cannot_be_written() -> None:
    with pytest.raises(TypeError):
        Log(lambda _line: None).line("request", token=TOKEN)
    assert "token" not in Line.__struct_fields__


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the writer makes of whatever libraries log while the test runs."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    lines: list[str] = []
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    Log(lines.append).take_over()
    yield lines
    logging.captureWarnings(capture=False)


def test_a_librarys_text_is_not_written(foreign: list[str]) -> None:
    logging.getLogger("some.library").warning("logging in with %s", TOKEN)
    logging.getLogger("some.library").warning(f"logging in with {TOKEN}")  # noqa: G004  as libraries do
    assert TOKEN not in "".join(foreign)
    line = msgspec.json.decode(foreign[0])
    assert (line["event"], line["level"], line["logger"]) == ("library", "warning", "some.library")
    assert line["at"][0].startswith("test_silence.py:")


def test_a_librarys_exception_is_written_without_its_text(foreign: list[str]) -> None:
    try:
        raise ValueError(TOKEN)
    except ValueError:
        logging.getLogger("some.library").exception(TOKEN)
    assert TOKEN not in foreign[0]
    assert msgspec.json.decode(foreign[0])["error"] == "ValueError"


def test_what_is_less_than_a_warning_is_not_written(foreign: list[str]) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET http://acme.example/%s", TOKEN)
    assert foreign == []


def test_a_message_that_was_put_together_is_not_written(foreign: list[str]) -> None:
    """As uvicorn does with the traceback of a lifespan that failed."""
    logging.getLogger("uvicorn.error").error(f"Traceback (most recent call last): {TOKEN}")  # noqa: G004  as they do
    assert TOKEN not in foreign[0]


def test_a_warning_is_written_without_its_text(foreign: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(TOKEN, UserWarning, stacklevel=1)
    assert TOKEN not in "".join(foreign)
    assert msgspec.json.decode(foreign[0])["logger"] == "py.warnings"


def test_a_crash_is_written_without_its_text(foreign: list[str]) -> None:
    sys.excepthook(ValueError, ValueError(TOKEN), None)
    line = msgspec.json.decode(foreign[0])
    assert (line["event"], line["error"]) == ("crash", "ValueError")
    assert TOKEN not in foreign[0]


def test_the_configured_key_keys_the_hashes() -> None:
    settings = from_tables(tables(OWN, {"hash_key": "0123456789abcdef"}))
    assert log_of(settings).user(1) == Log(hash_key=b"0123456789abcdef").user(1)


def test_nobody_reading_the_log_is_no_failure() -> None:
    def broken(_line: str) -> None:
        raise BrokenPipeError

    Log(broken).line("listening")


def test_a_task_that_failed_unseen_is_reported_without_its_text(foreign: list[str]) -> None:
    async def main() -> None:
        async def fail() -> None:
            raise ValueError(TOKEN)

        task = asyncio.create_task(fail(), name=TOKEN)
        await asyncio.wait([task])
        del task

    asyncio.run(main())
    assert TOKEN not in "".join(foreign)
    assert msgspec.json.decode(foreign[0])["error"] == "ValueError"


def test_lines_go_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    log = Log()
    log.line("listening", address="127.0.0.1:1")
    log.flush()
    out, err = capfd.readouterr()
    assert out == ""
    assert msgspec.json.decode(err)["address"] == "127.0.0.1:1"


async def test_the_demos_own_token_is_not_in_the_log_of_a_bot(gateway: Gateway) -> None:
    await gateway.client.get("/v1/connections/acme/101")
    (token,) = set(gateway.acme.platform.tokens) - {"demo"}
    assert token not in "".join(gateway.lines)
