"""What is made of JSON that a strict decoder rejects."""

from __future__ import annotations

import httpx
import msgspec
import pytest

from adapters.contract import InvalidAnswer
from adapters.selfcommunity.wire import GRANT, RENEWED, Grant, Renewed
from adapters.tolerant_json import LONGEST, repaired
from adapters.upstream import Upstream

BIGGEST = 1.7976931348623157e308


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (rb'["\ud800"]', ["\ufffd"]),
        (rb'["a\udc00b"]', ["a\ufffdb"]),
        (rb'["\udc00\ud800"]', ["\ufffd\ufffd"]),
        (rb'["\ud83d\ude00 \\ud800"]', ["\U0001f600 \\ud800"]),
        (rb'{"\ud800": 1}', {"\ufffd": 1}),
        (b'["\xff\xed\xa0\x80"]', ["\ufffd\ufffd\ufffd\ufffd"]),
        (b"[NaN, Infinity, -Infinity]", [BIGGEST] * 3),
        (b'["a\nb\x00"]', ["a\nb\x00"]),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (rb'[9223372036854775807, 1.0, "\ud800"]', [2**63 - 1, 1.0, "\ufffd"]),
    ],
)
def test_text_and_numbers_that_are_none_are_replaced(document: bytes, value: object) -> None:
    strict = repaired(document)
    assert strict is not None
    assert msgspec.json.decode(strict) == value


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"{",
        b'{"a": 1,}',
        rb'["\ud800" "a"]',
        rb'["\ud800", ' + b"[" * 100_000,
        rb'["\ud800", ' + b"9" * 5000 + b"]",
        rb'["\ud800", 1e999]',
        rb'["\u12"]',
    ],
)
def test_what_is_no_json_at_all_stays_none(document: bytes) -> None:
    assert repaired(document) is None


def test_a_long_document_is_not_read_twice() -> None:
    """It would hold up everybody else."""
    document = rb'["\ud800"]'
    assert repaired(document.ljust(LONGEST)) is not None
    assert repaired(document.ljust(LONGEST + 1)) is None


def test_a_new_refresh_token_that_is_no_text_does_not_replace_the_old_one() -> None:
    upstream = Upstream("club", httpx.MockTransport(lambda _request: httpx.Response(200)), timeout=1.0)
    body = rb'{"access_token": "access", "refresh_token": "refresh\ud800"}'
    renewed: Renewed | InvalidAnswer = upstream.decode_part(body, RENEWED)
    grant: Grant | InvalidAnswer = upstream.decode_part(body, GRANT)
    assert (type(renewed), type(grant)) == (InvalidAnswer, Grant)
