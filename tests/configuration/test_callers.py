"""`[[callers]]`: what an entry can say, what is wrong with one, and when there must be some."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.caller_settings import Grant, Right
from gateway.config.settings import ConfigurationError
from tests.configuration.files import ACME, CLUB, loaded

DIGEST = "0123456789abcdef" * 4
OTHER = DIGEST[::-1]
WEB = f"""
[[callers]]
name = "web"
key_sha256 = "{DIGEST}"
"""
OBO = ACME.replace('"bot", username = "bot"', '"obo", app_id = "app"')
JWT = CLUB.replace('"caller"', '"jwt", secret_file = "token"')


def test_an_entry_says_little_and_allows_little(folder: Path) -> None:
    (web,) = loaded(folder, CLUB + WEB).callers
    assert (web.name, web.digests, web.platforms, web.may, web.on_behalf_of) == (
        "web",
        (DIGEST,),
        None,
        ("read",),
        (),
    )


def test_an_entry_can_say_all(folder: Path) -> None:
    text = (
        CLUB
        + WEB.replace(f'"{DIGEST}"', f'["{DIGEST}", "{OTHER}"]')
        + 'platforms = ["club"]\nmay = ["act", "read"]\non_behalf_of = ["*", "club=*", "club=12", "7"]\nrate = "90/m"\nburst = 9'
    )
    (web,) = loaded(folder, text).callers
    assert web.digests == (DIGEST, OTHER)
    assert (web.platforms, web.may) == (("club",), (Right.ACT, Right.READ))
    assert web.rate is not None
    assert (web.rate.requests, web.rate.seconds, web.burst) == (90, 60, 9)
    assert [(each.platform, each.user_id) for each in web.on_behalf_of] == [
        (None, None),
        ("club", None),
        ("club", "12"),
        (None, "7"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("callers = 3", "callers: expected `array`, got `int`"),
        ("[callers]\nname = 'web'", "callers: expected a list of tables: write [[callers]]"),
        ("callers = [3]", "callers[0]: expected `object`, got `int`"),
        (WEB.replace("name", "nome"), "callers[0].nome: unknown key; did you mean name?"),
        (WEB.replace('name = "web"', ""), "callers[0].name: missing"),
        (WEB.replace('"web"', '""'), "callers[0].name: "),
        (WEB.replace('"web"', '"a b"'), "callers[0].name: "),
        (WEB.replace(f'key_sha256 = "{DIGEST}"', ""), "callers[0].key_sha256: missing"),
        (WEB.replace(DIGEST, "secret"), "callers[0].key_sha256: expected what `connection-gateway hash-key` prints"),
        (WEB.replace(DIGEST, DIGEST.upper()), "callers[0].key_sha256: expected what"),
        (WEB.replace(DIGEST, DIGEST + "\\n"), "callers[0].key_sha256: expected what"),
        (WEB.replace(f'"{DIGEST}"', "[]"), "callers[0].key_sha256: expected what"),
        (WEB.replace(f'"{DIGEST}"', f'["{DIGEST}", "x"]'), "callers[0].key_sha256: expected what"),
        (
            WEB.replace(f'"{DIGEST}"', f'["{DIGEST}", "{OTHER}", "{"0" * 64}"]'),
            "callers[0].key_sha256: expected what",
        ),
        (WEB.replace(f'"{DIGEST}"', "7"), "callers[0].key_sha256: expected `str | array`, got `int`"),
        (WEB.replace(f'"{DIGEST}"', f'["{DIGEST}", "{DIGEST}"]'), "callers[0].key_sha256: the same key twice"),
        (WEB + "platforms = []", "callers[0].platforms: expected at least one platform"),
        (WEB + 'platforms = ["clubs"]', "callers[0].platforms[0]: expected one of club"),
        (WEB + 'platforms = ["club", "Club"]', "callers[0].platforms[1]: "),
        (WEB + 'rate = "100"', "callers[0].rate: expected 1 to 999999 requests per s, m or h"),
        (WEB + 'rate = "0/s"', "callers[0].rate: expected 1 to 999999"),
        (WEB + 'rate = "1/s\\n"', "callers[0].rate: expected 1 to 999999"),
        (WEB + "rate = 100", "callers[0].rate: expected"),
        (WEB + 'rate = "1/s"\nburst = 0', "callers[0].burst: expected `int` >= 1"),
        (WEB + "burst = 3", "callers[0].burst: has no effect without rate"),
        (WEB + "may = []", "callers[0].may: expected at least one of read, act"),
        (WEB + 'may = ["read", "write"]', "callers[0].may[1]: expected one of read, act"),
        (WEB + 'on_behalf_of = "*"', "callers[0].on_behalf_of: expected `array`, got `str`"),
        (
            WEB + 'on_behalf_of = ["club=*", "clubs=*"]',
            "callers[0].on_behalf_of[1]: of the platform expected one of club",
        ),
        *(
            (WEB + f'on_behalf_of = ["{grant}"]', "callers[0].on_behalf_of[0]: expected ")
            for grant in [
                "",
                "**",
                "club=",
                "=1",
                "club=x",
                "0",
                "club=01",
                "9223372036854775808",
                "1 ",
                "1\\n",
                "club=1,2",
            ]
        ),
        (WEB + WEB.replace(DIGEST, OTHER), "callers[1].name: another caller has it as well"),
        (WEB + WEB.replace("web", "bot"), "callers[1].key_sha256: another caller has it as well"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_key(folder: Path, text: str, line: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text + CLUB)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_an_unwanted_number_is_not_quoted(folder: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, CLUB + WEB + 'on_behalf_of = ["769658112378x"]')
    assert "769658112378" not in str(caught.value)


@pytest.mark.parametrize("text", [OBO, JWT], ids=["obo", "jwt"])
def test_what_can_speak_for_anybody_needs_callers(folder: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^platforms\.\w+\.credentials: mode \w+ can speak for any user"):
        loaded(folder, text, GATEWAY_SERVER__ALLOW_ANONYMOUS="true")
    assert loaded(folder, text + WEB).callers


def test_what_speaks_for_one_user_does_not(folder: Path) -> None:
    text = JWT.replace('"jwt"', '"jwt", user_id = 7')
    assert loaded(folder, text).platforms["club"].mode == "jwt"


@pytest.mark.parametrize("text", [ACME, JWT.replace('"jwt"', '"jwt", user_id = 7')])
def test_with_callers_it_may_listen_everywhere(folder: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^server\.host: .*configure \[\[callers\]\]"):
        loaded(folder, text, GATEWAY_SERVER__HOST="0.0.0.0")
    assert loaded(folder, text + WEB, GATEWAY_SERVER__HOST="0.0.0.0").server.host == "0.0.0.0"


def test_a_caller_that_the_environment_adds_is_checked_like_any_other(folder: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^callers\[1\]\.key_sha256: missing; .* \(GATEWAY_CALLERS__0__NAME\)"
    ):
        loaded(folder, CLUB + WEB, GATEWAY_CALLERS__0__NAME="other")


def test_a_grant_shows_nobody() -> None:
    assert "123" not in f"{Grant('acme=123')!r} {Grant('acme=123')}"
