"""Times on the wire."""

from __future__ import annotations

import pytest

from adapters.times import MAX_MS, MIN_MS, retry_after, rfc3339, rfc3339_of

NOW = 1_000_000_000.0
"""Sun, 09 Sep 2001 01:46:40 GMT"""


@pytest.mark.parametrize(
    ("unix_ms", "text"),
    [
        (1470018073812, "2016-08-01T02:21:13.812Z"),
        (1471018076255, "2016-08-12T16:07:56.255Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (1_700_000_000_999, "2023-11-14T22:13:20.999Z"),
        (MIN_MS, "0001-01-01T00:00:00.000Z"),
        (MAX_MS, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_rfc3339_has_exactly_three_decimals(unix_ms: int, text: str) -> None:
    assert rfc3339(unix_ms) == text


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("300", 300.0),
        ("301", 300.0),
        ("9" * 5000, 300.0),
        ("Sun, 09 Sep 2001 01:46:50 GMT", 10.0),
        ("Sun, 09 Sep 2001 01:46:50 -0000", 10.0),
        ("Sunday, 09-Sep-01 01:46:50 GMT", 10.0),
        ("Sun Sep  9 01:46:50 2001", 10.0),
        ("Sun, 09 Sep 2001 01:46:30 GMT", 0.0),
        ("Sun, 09 Sep 2099 01:46:30 GMT", 300.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("\u00b2", None),
        ("00000000000000000007", 7.0),
    ],
)
def test_retry_after_has_two_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("29.7", 30.0),
        ("30.0", 30.0),
        ("29,7", 30.0),
        ("0.0", 0.0),
        ("0.001", 1.0),
        ("+5", 5.0),
        ("-1", 1.0),
        ("1e2", 100.0),
        ("1e999", 300.0),
        ("7 seconds", 7.0),
        ("7; reason=quota", 7.0),
        ("2 minutes", 120.0),
        ("1m30s", 90.0),
        ("PT1M30S", 90.0),
        ("1 h", 300.0),
        ("7, 9", 16.0),
        ("20260105", 300.0),
        ("2001-09-09T01:46:50Z", 10.0),
        ("2001-09-09T01:46:30Z", 0.0),
        ("Sun, 99 Sep 2001 01:46:50 GMT", 300.0),
        ("Sun, 09 Sep 2001 01:46:60 GMT", 300.0),
        ("Sun, 09 Sep 2001 01:46:50 +99999999999999999999", 300.0),
        ("Sun, 09 Sep 2001 999999999999999999999:1:1", 300.0),
        ("Sun, 09 Sep 99999 01:46:50 GMT", 300.0),
    ],
)
def test_any_other_form_is_read_as_no_shorter_than_it_may_be_meant(header: str, seconds: float) -> None:
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2001-09-09t01:46:40z", "2001-09-09T01:46:40.000Z"),
        ("2001-09-09T01:46:60Z", "2001-09-09T01:46:59.999Z"),
        ("2001-09-09T01:46:60,5+00:00", "2001-09-09T01:46:59.999Z"),
        ("20010909T014660Z", "2001-09-09T01:46:59.999Z"),
        ("9999-12-31T23:59:60Z", "9999-12-31T23:59:59.999Z"),
        ("2001-w36-7t01:46:40z", "2001-09-09T01:46:40.000Z"),
        ("2001-09-09T01:46:60", None),
    ],
)
def test_iso_8601_is_read_in_its_rarer_forms(text: str, expected: str | None) -> None:
    assert rfc3339_of(text) == expected


@pytest.mark.parametrize("text", ["2001-09-09T01:46:61Z", "2001-09-09T01:60:60Z", "2001-09-09T01:46:600Z", "60", ""])
def test_what_is_no_time_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        rfc3339_of(text)
