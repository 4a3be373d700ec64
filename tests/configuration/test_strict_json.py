"""JSON that has one reading only."""

from __future__ import annotations

import pytest

from gateway.config.strict_json import parse_strict_json


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":1,"\\u0061":2}',
        '[{"b":{"a":1,"a":2}}]',
        "NaN",
        "[Infinity]",
        '{"a":-Infinity}',
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 5000,
        "",
        "{} {}",
        "\ufeff{}",
        "'a'",
    ],
    ids=lambda text: text[:20],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  its own, or a kind of it from the decoder
        parse_strict_json(text)


def test_the_rest_is_read() -> None:
    assert parse_strict_json('{"a":[{"a":1},{"a":1.5}],"b":null}') == {"a": [{"a": 1}, {"a": 1.5}], "b": None}
