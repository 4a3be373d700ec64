"""Pages for people. They load nothing from elsewhere, and run nothing inline."""

from __future__ import annotations

import functools
import html
import re
from importlib import resources
from string import Template
from typing import Final

from gateway import __version__
from gateway.problems.advice import advice
from gateway.problems.problem import Kind

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
PARTS: Final = {"docs.css": "text/css", "docs.js": "text/javascript", "icon.svg": "image/svg+xml"}
"""What pages are made of, by media type."""
CONSOLE_POLICY: Final = f"{POLICY}; require-trusted-types-for 'script'; trusted-types 'none'"
"""With Trusted Types, the browser refuses to parse text as markup or code."""
_SCRIPTS: Final = "actions api console dom figures identity inbox lookup metrics platforms plot problems timeline"
CONSOLE_PARTS: Final = frozenset({"console.css", *(f"{name}.js" for name in _SCRIPTS.split())})
"""What the console is made of, beside the client at `/client/gateway.js`."""
_CONSOLE_LINK: Final = (
    '<li><a href="console">Console</a>: platforms, figures and pending requests, for operators</li>\n'
)
_CODE: Final = re.compile(r"`([^`]+)`")


@functools.cache
def file(name: str) -> bytes:
    """One of ours, as it stands in this folder."""
    return resources.files(__name__).joinpath(name).read_bytes()


@functools.cache
def index(*, has_console: bool) -> bytes:
    """The start page, with a link to the console if that is served."""
    link = _CONSOLE_LINK if has_console else ""
    return Template(file("index.html").decode()).substitute(version=__version__, console=link).encode()


@functools.cache
def problem(kind: Kind) -> bytes:
    """What it means, and what to do about it."""
    said = advice()[kind]
    return (
        Template(file("problem.html").decode())
        .substitute(
            slug=kind.slug,
            status=kind.status,
            title=html.escape(kind.title),
            meaning=_marked(said.meaning),
            caller=_marked(said.caller),
            operator=_marked(said.operator),
        )
        .encode()
    )


def _marked(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", html.escape(text))
