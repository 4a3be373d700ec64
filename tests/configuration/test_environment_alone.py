"""A configuration without a file: callers by name in the environment, and variables that were meant for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.auth.callers import key_digest
from gateway.config.caller_settings import Right
from gateway.config.loader import load
from gateway.config.settings import ConfigurationError
from tests.configuration.files import CLUB, loaded
from tests.gateways import key_of

WEB, BOT = key_digest(key_of("web")), key_digest(key_of("bot"))
PLATFORM = {
    "GATEWAY_PLATFORMS__CLUB__ADAPTER": "selfcommunity",
    "GATEWAY_PLATFORMS__CLUB__BASE_URL": "https://club.example.com",
    "GATEWAY_PLATFORMS__CLUB__CREDENTIALS__MODE": "caller",
}
IN_FILE = f'{CLUB}[[callers]]\nname = "Mobile.App"\nkey_sha256 = "{BOT}"\n'


def test_callers_are_named() -> None:
    environ = PLATFORM | {
        "GATEWAY_CALLERS__WEB__KEY_SHA256": WEB,
        "GATEWAY_CALLERS__WEB__MAY": '["read", "act"]',
        "GATEWAY_CALLERS__STATUS_BOT__KEY_SHA256": f'["{BOT}", "{WEB.swapcase().lower()[::-1]}"]',
        "GATEWAY_CALLERS__STATUS_BOT__PLATFORMS": '["club"]',
    }
    web, bot = load(None, environ).callers
    assert (web.name, web.digests, web.may) == ("web", (WEB,), (Right.READ, Right.ACT))
    assert (bot.name, bot.digests[0], bot.platforms) == ("status-bot", BOT, ("club",))


def test_a_caller_of_the_file_is_overridden_and_others_are_added(folder: Path) -> None:
    environ = {"GATEWAY_CALLERS__MOBILE_APP__MAY": '["act"]', "GATEWAY_CALLERS__WEB__KEY_SHA256": WEB}
    app, web = loaded(folder, IN_FILE, **environ).callers
    assert (app.name, app.digests, app.may) == ("Mobile.App", (BOT,), (Right.ACT,))
    assert (web.name, web.digests) == ("web", (WEB,))


@pytest.mark.parametrize(
    "name",
    ["GATEWAY_CALLERS", "GATEWAY_CALLERS_WEB_KEY_SHA256", "GATEWAY_CALLERS__WEB", "GATEWAY_CALLERS__WEB_KEY_SHA256"],
)
def test_what_is_meant_for_a_caller_and_would_leave_the_gateway_open_stops_the_start(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{name}: expected GATEWAY_CALLERS__NAME__KEY$"):
        load(None, PLATFORM | {name: WEB})


@pytest.mark.parametrize(
    "name",
    ["GATEWAY_SERVER_PORT", "GATEWAY_CACHE_FRESH_FOR", "GATEWAY_PLATFORMS_CLUB_BASE_URL", "GATEWAY_SERVER_HASH_KEY"],
)
def test_one_underscore_is_a_warning_that_names_the_variable(name: str) -> None:
    settings = load(None, PLATFORM | {name: "tcp://10.0.0.1:80"})
    assert [(each.setting, each.word) for each in settings.warnings] == [(name, "one-underscore")]
    assert settings == load(None, PLATFORM | {name: "9"})


@pytest.mark.parametrize(
    "name", ["GATEWAY_SERVICE_HOST", "GATEWAY_PORT", "GATEWAY_TOKEN", "GATEWAY_SERVER_SERVICE_HOST"]
)
def test_other_programs_variables_are_left_alone(name: str) -> None:
    assert load(None, PLATFORM | {name: "1"}).warnings == ()


def test_a_file_that_only_the_environment_names_may_be_missing_where_platforms_are_given(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    environ = {"GATEWAY_CONFIG": str(file)}
    (warning,) = load(file, PLATFORM | environ).warnings
    assert (warning.setting, warning.word) == ("GATEWAY_CONFIG", "no-such-file")
    for without in (environ, PLATFORM, environ | {"GATEWAY_PLATFORMS__CLUB__CREDENTIALS__TOKEN": "x"}):
        with pytest.raises(ConfigurationError, match=r"gateway\.toml: No such file"):
            load(file, without)
    file.write_text("[server]\nport = 9\n")
    assert load(file, PLATFORM | environ).server.port == 9
