"""Parses TOML within limits of nesting.

Python's parser recurses into nested values, and takes time by the square of the number of keys that dots join.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

DEEPEST: Final = 16
"""Tables or arrays inside each other, and keys joined by dots. The configuration needs four."""
_TOKEN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'''.*?(?:'''|\Z)"
    r'|"(?:\\.|[^"\\\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|\#[^\n]*"
    r"|[][{}.=,\n]",
    re.DOTALL,
)
"""A string or a comment as a whole, or what joins and nests. A string without an end is the parser's to refuse."""


def parse_toml(text: str) -> dict[str, Any]:
    """Raises ValueError, which says where in the text."""
    _check_nesting(text)
    return tomllib.loads(text)


def _check_nesting(text: str) -> None:
    """Dots of numbers and times count as well, but there are few of them between two commas."""
    depth = dots = 0
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "[" | "{":
                depth += 1
                dots = 0
            case "]" | "}":
                depth -= 1
            case ".":
                dots += 1
            case "=" | "," | "\n":
                dots = 0
        if max(depth, dots) > DEEPEST:
            line = text.count("\n", 0, token.start()) + 1
            raise ValueError(f"nested more than {DEEPEST} deep (at line {line})")
