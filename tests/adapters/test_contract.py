"""The ground floor: user ids, tokens, base URLs."""

from __future__ import annotations

import msgspec
import pytest

from adapters.contract import Connection, Status
from adapters.secret import Token
from adapters.user_ids import parse_int64


@pytest.mark.parametrize(("text", "user_id"), [("1", 1), ("769658112378", 769658112378), (str(2**63 - 1), 2**63 - 1)])
def test_a_user_id_is_digits(text: str, user_id: int) -> None:
    assert parse_int64(text) == user_id


@pytest.mark.parametrize(
    "text",
    [
        *["", "0", "00", "01", "-1", "+1", " 1", "1 ", "1\n", "1_000", "1.0", "1e3", "0x1", str(2**63), "9" * 10_000],
        *["\u0661", "\uff11", "\u00b2", "1/2", "1?x", "../1", "1%2F", "1;", "nan", "None"],
    ],
)
def test_nothing_else_is(text: str) -> None:
    with pytest.raises(ValueError, match="expected a user id"):
        parse_int64(text)


@pytest.mark.parametrize("text", ["", " ", "a b", "a\n", "\x00", "\x7f", "é", "x" * 8193])
def test_a_token_travels_in_a_header(text: str) -> None:
    with pytest.raises(ValueError, match="expected a token") as caught:
        Token(text)
    assert not text.strip() or text not in str(caught.value)


def test_a_connection_is_encoded_as_the_common_schema() -> None:
    connection = Connection("acme", "1", Status.NONE, None, (), None, None, None, "2026-11-21T21:41:00.123Z")
    assert msgspec.json.encode(connection) == (
        b'{"platform":"acme","user_id":"1","status":"none","native_status":null,"actions":[],'
        b'"first_requested_at":null,"updated_at":null,"request_count":null,'
        b'"as_of":"2026-11-21T21:41:00.123Z","stale":false}'
    )
