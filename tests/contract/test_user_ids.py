"""The grammar of a platform's user ids: text that is no id goes no further than the parser."""

from __future__ import annotations

import re

import pytest

from adapters import ADAPTERS
from adapters.user_ids import parse_text
from tests.contract.dialects import DIALECTS, Platform

NUMBERS = (1, 101, 105, 404404, 2**63 - 1)
ODD = [
    "",
    "0",
    "-1",
    "+1",
    " 1",
    "1\n",
    "\u0661",
    "a b",
    "../1",
    "1/2",
    "1%2F",
    "1?x",
    "1,2",
    "1=2",
    "*",
    "a" * 129,
    "%",
    "#",
]


def test_every_adapter_is_proved_here() -> None:
    assert set(ADAPTERS) <= {dialect.settings for dialect in DIALECTS}


@pytest.mark.parametrize("number", NUMBERS)
def test_a_key_is_what_its_id_is_parsed_to(platform: Platform, number: int) -> None:
    key, user_ids = platform.id(number), platform.adapter.USER_IDS
    assert user_ids.parse(str(key)) == key
    assert re.search(user_ids.pattern, str(key))


@pytest.mark.parametrize("number", NUMBERS)
def test_an_id_may_stand_in_the_api(platform: Platform, number: int) -> None:
    assert parse_text(str(platform.id(number)))


@pytest.mark.parametrize("number", NUMBERS)
def test_an_id_is_written_into_a_url_as_one_segment(platform: Platform, number: int) -> None:
    assert re.fullmatch(
        r"(?:[A-Za-z0-9_~-]|%[0-9A-F]{2})[A-Za-z0-9._~%-]*", platform.adapter.USER_IDS.write(platform.id(number))
    )


@pytest.mark.parametrize("text", ODD)
def test_nothing_else_is_an_id_and_nothing_of_it_is_quoted(platform: Platform, text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a user id: ") as caught:
        platform.adapter.USER_IDS.parse(text)
    assert len(text) < 100 or text not in str(caught.value)


def test_keys_of_one_platform_can_be_sorted(platform: Platform) -> None:
    assert len(sorted(platform.ids(*NUMBERS))) == len(set(platform.ids(*NUMBERS))) == len(NUMBERS)
