"""Times on the wire."""

from __future__ import annotations

import pytest

from adapters.times import MAX_MS, MIN_MS, retry_after, rfc3339

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
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("\u00b2", None),
        ("Sun, 99 Sep 2001 01:46:50 GMT", None),
        ("Sun, 09 Sep 2001 01:46:50 +99999999999999999999", None),
        ("Sun, 09 Sep 2001 999999999999999999999:1:1", None),
        ("00000000000000000007", 7.0),
        ("Sun, 09 Sep 99999 01:46:50 GMT", None),
    ],
)
def test_retry_after_has_two_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds
