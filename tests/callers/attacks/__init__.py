"""Tokens that must not be accepted, in groups: each yields names and tokens, made anew, since most hold near times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tests.callers.attacks import algorithms, contents, forms, headers, signatures

Group = Callable[[], Iterator[tuple[str, str]]]
GROUPS: Final[dict[str, Group]] = {
    each.__name__: each
    for each in (
        algorithms.unsigned,
        algorithms.symmetric,
        algorithms.asymmetric,
        signatures.changed,
        signatures.of_another_message,
        signatures.of_another_signer,
        headers.key_names,
        headers.parameters,
        headers.repeated_members,
        contents.expiry,
        contents.other_times,
        contents.audiences,
        contents.issuers,
        contents.rights,
        contents.repeated_claims,
        forms.of_tokens,
        forms.of_headers,
        forms.of_payloads,
        forms.of_sizes,
    )
}
