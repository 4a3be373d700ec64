"""Secrets as people and the gateway write them into files."""

from __future__ import annotations

import pytest

from adapters.secret import format_secret, parse_secret


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("secret", "secret"),
        ("secret\n", "secret"),
        ("secret\r\n", "secret"),
        (" secret \t\r\n\n", "secret"),
        ("\ufeffsecret\r\n", "secret"),
        ("a b", "a b"),
        ('"secret"', '"secret"'),
        ('"secret', '"secret'),
        ('"secret "\n', "secret "),
        ('" secret"', " secret"),
        ('"secret\\n"', "secret\n"),
        ('"\udcff "', '"\udcff "'),
        ("\r\n", ""),
    ],
)
def test_white_space_around_a_secret_is_dropped_unless_it_is_quoted(text: str, secret: str) -> None:
    assert parse_secret(text) == secret


@pytest.mark.parametrize(
    "secret",
    [
        "secret",
        "secret ",
        "\tsecret",
        '"',
        '"secret"',
        '"secret "',
        '"\\"secret \\""',
        "\ufeffsecret",
        "a\\",
        " ",
        "é ",
    ],
)
def test_what_is_written_is_what_is_read(secret: str) -> None:
    assert parse_secret(format_secret(secret)) == secret
    assert parse_secret(format_secret(secret) + "\r\n") == secret


def test_a_secret_without_white_space_is_written_as_it_is() -> None:
    assert format_secret('"secret"') == '"secret"'
