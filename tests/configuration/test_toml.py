"""TOML that takes too long, or too much of the stack, is refused before it is parsed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.config.loader import LARGEST
from gateway.config.settings import ConfigurationError
from gateway.config.toml import DEEPEST, parse_toml
from tests.configuration.files import CLUB, loaded

MANY = 100_000


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (".".join("a" * MANY) + " = 1", 1),
        ("\n" + " . ".join(["'a'", '"b."'] * MANY) + " = 1", 2),
        (f"a = 1\n\n[{'.'.join('a' * MANY)}]", 3),
        (f"[[{'.'.join('a' * MANY)}]]", 1),
        ("a = { " + ".".join("b" * MANY) + " = 1 }", 1),
        ("a = " + "[" * MANY, 1),
        ("a = [\n" * MANY, DEEPEST + 1),
        ("# a comment with [[[ and ...\na = " + "{b=" * MANY, 2),
        ('a = """\n\n"""\nb = ' + "[{b=" * MANY, 4),
    ],
)
def test_deep_nesting_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ValueError, match=re.escape(f"nested more than {DEEPEST} deep (at line {line})")):
        parse_toml(text)


@pytest.mark.parametrize(
    "text",
    [
        f"a = '{'[' * MANY}'",
        f'a = "{"." * MANY}"',
        f'a = "\\"{"." * MANY}"',
        f'a = """\n"{"{" * MANY}"\n"""',
        f"a = '''\n'{'[.' * MANY}'\n'''",
        f"# don't {'[' * MANY}\na = 1",
        f"a = [{'[1.5], ' * MANY}]",
        f"a = [{'1.5, ' * MANY}]",
        "[[a.b]]\nc.d = { e.f = [{ g = 1 }] }\n" * 1000,
        "[a.\"b.c\".'d.e']\nf = 07:32:00.999999",
        "[" + ".".join("a" * (DEEPEST + 1)) + "]",
    ],
)
def test_what_only_looks_nested_is_read(text: str) -> None:
    assert parse_toml(text)


@pytest.mark.parametrize(
    "text", ['a = "' + "\\" * MANY, '"' * MANY + "[", "'" * MANY, "\\" * MANY, '"""' + '\\"' * MANY]
)
def test_what_is_malformed_is_the_parsers_to_tell(text: str) -> None:
    with pytest.raises(ValueError, match=r"\(at (line 1|end)"):
        parse_toml(text)


def test_a_file_names_itself_and_the_line(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"/gateway\.toml: nested more than 16 deep \(at line 6\)"):
        loaded(folder, CLUB + ".".join("a" * MANY) + " = 1")


def test_a_file_has_a_largest_size(folder: Path) -> None:
    fits = CLUB + "#" * (LARGEST - len(CLUB))
    assert loaded(folder, fits).platforms
    with pytest.raises(ConfigurationError, match=rf"/gateway\.toml: longer than {LARGEST} bytes"):
        loaded(folder, fits + "#")


def test_a_key_of_any_length_is_one_short_line(folder: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, CLUB + f'"{"x" * MANY}\\u001b\\u202e" = 1')
    assert str(caught.value).startswith("platforms.club.xxx")
    assert len(str(caught.value)) <= 1000
