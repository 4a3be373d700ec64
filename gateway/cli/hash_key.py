"""The command about callers' keys: `hash-key`."""

from __future__ import annotations

import sys

import click

from gateway.cli.output import WRONG_USE, say, stop

SHORT = 32
"""Characters. Who sees the hash of a shorter key might find the key by trying."""


@click.command("hash-key")
@click.argument("key", required=False)
def hash_key(key: str | None) -> None:
    """Print the line that lets a caller with KEY in. Without KEY it is read from standard input."""
    from adapters.files import LIMIT, decode_text
    from adapters.secret import Token, parse_secret
    from gateway.auth.callers import key_digest

    try:
        text = decode_text(sys.stdin.buffer.read(LIMIT)) if key is None else key
    except ValueError as error:
        stop(f"standard input: {error}", WRONG_USE)
    text = parse_secret(text)
    try:
        Token(text)
    except ValueError:
        stop("expected a key: visible ASCII characters, without spaces", WRONG_USE)
    if len(text) < SHORT:
        say(f"warning: fewer than {SHORT} characters; 'openssl rand -hex 32' makes a good key")
    click.echo(f'key_sha256 = "{key_digest(text)}"')
